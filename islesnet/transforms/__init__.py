"""What MONAI's transforms lack for stroke MRI."""

from islesnet.transforms.antialias import Antialiasd
from islesnet.transforms.background import ZeroBackgroundd
from islesnet.transforms.bias_field import CorrectBiasd
from islesnet.transforms.contrast import RandContrastd
from islesnet.transforms.describe import describe_lesions
from islesnet.transforms.head import foreground
from islesnet.transforms.inside import KeepInsided, WidenMaskd
from islesnet.transforms.lesions import LesionProbabilityd, RemoveSmallLesionsd, ShiftProbabilityd, voxel_volume_ml
from islesnet.transforms.noise import RandNoisePresentd
from islesnet.transforms.normalize import NormalizeInBraind
from islesnet.transforms.plain import WithoutMeta
from islesnet.transforms.save import SaveLesionsd
from islesnet.transforms.sequences import ChooseReferenced, FillAbsentd, MarkHeadd, RandDropSequencesd

__all__ = [
    "Antialiasd",
    "ChooseReferenced",
    "CorrectBiasd",
    "FillAbsentd",
    "KeepInsided",
    "LesionProbabilityd",
    "MarkHeadd",
    "NormalizeInBraind",
    "RandContrastd",
    "RandDropSequencesd",
    "RandNoisePresentd",
    "RemoveSmallLesionsd",
    "SaveLesionsd",
    "ShiftProbabilityd",
    "WidenMaskd",
    "WithoutMeta",
    "ZeroBackgroundd",
    "describe_lesions",
    "foreground",
    "voxel_volume_ml",
]
