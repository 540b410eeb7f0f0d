"""Ignite handlers that MONAI lacks."""

from islesnet.handlers.checkpoint import WholeCheckpointSaver
from islesnet.handlers.encoder import EncoderOpener
from islesnet.handlers.learning_rate import LearningRate
from islesnet.handlers.patients import patient_names
from islesnet.handlers.pictures import OutlinedSlices
from islesnet.handlers.progress import TimeLeft
from islesnet.handlers.resume import ExactResume, ResumableEarlyStop

__all__ = [
    "EncoderOpener",
    "ExactResume",
    "LearningRate",
    "OutlinedSlices",
    "ResumableEarlyStop",
    "TimeLeft",
    "WholeCheckpointSaver",
    "patient_names",
]
