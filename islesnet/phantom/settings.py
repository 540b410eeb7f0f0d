"""The choices that a synthetic cohort is made with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from islesnet.errors import InputError
from islesnet.phantom.lesion_masks import MASK_PARTS
from islesnet.phantom.ranges import SISS_LIKE, Ranges

DEEP_ML = 20.0  # largest lesion at the end of perforating arteries
STAGES = ("hyperacute", "acute", "subacute", "chronic")


@dataclass(frozen=True)
class PhantomSettings:
    """What synthetic patients are like; the defaults look like ISLES 2015 SISS.

    Args:
        spacing_mm: edge of the cubic voxels. The grid always covers 230 x 230 x 154 mm.
        lesion_masks: folder of lesion masks in MNI space (NIfTI; files that are no mask are passed over) to take
            the lesions from; None grows them from a model of the vascular territories.
        mask_part: which of these masks: "all", or of three parts that share none "training", "validation" or "test".
        grow_where_no_mask_fits: where no mask has a volume within `volume_ml`, grow a lesion of its geometric mean;
            otherwise that is an error.
        is_skull_stripped: leave skull and scalp away, as in SISS; otherwise they are in the images.
        volume_ml: smallest and largest lesion volume. Grown lesions are drawn log-uniformly between the two; of
            the masks, those that fall outside on the patient are passed over.
        foci: fewest and most foci of a grown lesion.
        is_deep: a grown lesion begins where perforating arteries end, deep in the brain; at most 20 ml.
        stages: stages that a patient's is drawn from, each as likely: hyperacute, acute, subacute, chronic. A chronic
            infarct is a cavity with gliosis; such patients come without a DWI.
        hyperintensities_ml: range of the volume of white-matter hyperintensities, log-uniform.
        old_infarct_probability: share of the patients with an old infarct as well.
        thick_slices_probability: share of the scans acquired in slices of 3 to 6 mm.
        noise: range of the noise's standard deviation, as a share of the mean signal in the brain.
        bias: range of the coil bias, as the standard deviation of its logarithm.
        ranges: of everything else.

    Raises:
        InputError: a value is outside its range.
    """

    spacing_mm: float = 1.0
    lesion_masks: Path | None = None
    mask_part: str = "all"
    grow_where_no_mask_fits: bool = False
    is_skull_stripped: bool = True
    volume_ml: tuple[float, float] = (0.2, 150.0)
    foci: tuple[int, int] = (1, 5)
    is_deep: bool = False
    stages: tuple[str, ...] = STAGES[:3]
    hyperintensities_ml: tuple[float, float] = SISS_LIKE.hyperintensities_ml
    old_infarct_probability: float = 0.25
    thick_slices_probability: float = 0.5
    noise: tuple[float, float] = SISS_LIKE.noise
    bias: tuple[float, float] = SISS_LIKE.bias
    ranges: Ranges = SISS_LIKE

    def __post_init__(self) -> None:
        if not 0.5 <= self.spacing_mm <= 10:
            raise InputError(f"spacing_mm is {self.spacing_mm}: a phantom's voxels are 0.5 to 10 mm wide")
        _check_range("volume_ml", self.volume_ml, lowest=0.001, highest=400)
        _check_range("foci", self.foci, lowest=1, highest=20)
        if self.is_deep:
            _check_range("volume_ml", self.volume_ml, lowest=0.001, highest=DEEP_ML)
        _check_range("hyperintensities_ml", self.hyperintensities_ml, lowest=0.001, highest=100)
        _check_range("noise", self.noise, lowest=0, highest=1)
        _check_range("bias", self.bias, lowest=0, highest=1)
        for name in ("old_infarct_probability", "thick_slices_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}: a probability lies between 0 and 1")
        if self.mask_part not in MASK_PARTS:
            raise InputError(f"mask_part is {self.mask_part!r}; it can be {', '.join(MASK_PARTS)}")
        unknown = [stage for stage in self.stages if stage not in STAGES]
        if unknown or not self.stages:
            raise InputError(f"stages is {self.stages}: name one or more of {', '.join(STAGES)}")


def _check_range(name: str, bounds: Sequence[float], lowest: float, highest: float) -> None:
    if len(bounds) != 2 or not lowest <= bounds[0] <= bounds[1] <= highest:
        raise InputError(f"{name} is {tuple(bounds)}: give two values, low then high, between {lowest} and {highest}")


DEFAULT_SETTINGS = PhantomSettings()
