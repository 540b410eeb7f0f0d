"""Ignite handlers that MONAI lacks."""

from islesnet.handlers.appearance import TrainingAppearance
from islesnet.handlers.begun_with import BegunWith
from islesnet.handlers.beside_weights import NeedsBiasCorrection, SaysTrainedWith
from islesnet.handlers.checkpoint import WholeCheckpointSaver
from islesnet.handlers.cohort_table import CohortTable
from islesnet.handlers.early_stop import EndEarly, ResumableEarlyStop
from islesnet.handlers.encoder import EncoderOpener
from islesnet.handlers.learning_rate import LearningRate
from islesnet.handlers.pictures import OutlinedSlices
from islesnet.handlers.progress import TimeLeft
from islesnet.handlers.provenance import Provenance
from islesnet.handlers.resume import ExactResume, first_step, steps_taken
from islesnet.handlers.scores import PatientScores
from islesnet.handlers.voxel_ratio import VoxelRatio
from islesnet.handlers.weight_averaging import WeightAveraging

__all__ = [
    "BegunWith",
    "CohortTable",
    "EncoderOpener",
    "EndEarly",
    "ExactResume",
    "LearningRate",
    "NeedsBiasCorrection",
    "OutlinedSlices",
    "PatientScores",
    "Provenance",
    "ResumableEarlyStop",
    "SaysTrainedWith",
    "TimeLeft",
    "TrainingAppearance",
    "VoxelRatio",
    "WeightAveraging",
    "WholeCheckpointSaver",
    "first_step",
    "steps_taken",
]
