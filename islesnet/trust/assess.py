"""All that speaks against trusting a patient's mask, gathered by a transform of the postprocessing."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.inferers import Inferer
from monai.transforms import MapTransform

from islesnet.errors import InputError
from islesnet.transforms import foreground, voxel_volume_ml
from islesnet.trust.anatomy import check_field_of_view, check_height, check_volume
from islesnet.trust.appearance import AppearanceRanges
from islesnet.trust.description import describe_appearance
from islesnet.trust.finding import Finding
from islesnet.trust.subsets import SubsetScores

DWI_ABSENT = (
    "DWI is absent: an infarct of the first hours can be invisible on every other sequence, so that an empty mask does "
    "not exclude one."
)


@dataclass(frozen=True)
class TrustLimits:
    """From where on a mask is not to be trusted.

    Args:
        appearance_tolerance: how far outside of the training's range a measure of a sequence may lie, in widths of
            that range; a range of few images allows more (`AppearanceRanges.check`).
        joint_tolerance: how far all measures of a sequence together may lie from the middle of the training's, in the
            distance that 99 % of the training's images keep.
        minimum_height_mm: of the head within the volume. The MNI152 (2009) template's brain is 154 mm high, clinical
            scans of 20 slices of 5 mm show 100 mm.
        maximum_lesion_ml: the largest of the 28 training patients of ISLES 2015 SISS has 233.5 ml.
        maximum_brain_share: of lesion; the largest of SISS is a sixth of a brain of 1.4 litres.
        minimum_agreement: mean Dice under flips, where they are on.
        minimum_subset_dice: mean Dice on test patients with the sequences that a patient has; less is next to nothing.
        doubtful_subset_dice: the same, and less is little, which is noted.

    Raises:
        InputError: for a limit below 0, or a share, agreement or Dice above 1.
    """

    appearance_tolerance: float = 0.5
    joint_tolerance: float = 1.0
    minimum_height_mm: float = 100.0
    maximum_lesion_ml: float = 400.0
    maximum_brain_share: float = 0.33
    minimum_agreement: float = 0.7
    minimum_subset_dice: float = 0.1
    doubtful_subset_dice: float = 0.25

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            highest = 1.0 if name.endswith(("_share", "_agreement", "_dice")) else float("inf")
            if not 0 <= value <= highest:
                raise InputError(f"trust_limits::{name} is {value}; it must be from 0 to {highest:g}.")


class AssessTrustd(MapTransform):
    """Say whether a patient's mask is to be trusted, and why not.

    What the preparation of the scans noted (`islesnet.patients.PrepareScans`) comes first among the notes. What is
    found goes under "trust" as JSON has it: is_trusted, reasons (sentences against trust), notes (sentences to
    be aware of), in_short (a few words for a table's cell), measured (what the network reaches on test patients with
    these sequences, where that was measured), and agreement (of flips, where they were made). Beside the mask the data
    has "image", as it entered the network, on axes nearest to right, anterior, superior.

    Args:
        keys: the mask, on the native grid, with an affine in mm.
        sequences: names of the image's channels.
        reference_order: the first present one is the one whose height and volume are measured.
        limits: from where on a mask is not to be trusted.
        appearance: how the training's images look; None where that is not known, which is noted.
        flip_inferer: its `agreement`, if it has one, is of this patient: each mask is assessed before the next
            patient is inferred.
        subsets: how much the network finds with each subset of the sequences; None where nobody measured it.
        is_calibrated: whether probabilities were brought nearer to right for these weights; where not, that is noted.
        reference_key: the reference, skull and all, whose metadata has the grid of its file: the head is looked at
            where that ends. Where there is none, where the image ends.

    Shapes:
        mask ``(1, X, Y, Z)``, image ``(C, X', Y', Z')``; both are handed on unchanged.
    """

    def __init__(
        self,
        keys: KeysCollection,
        sequences: Sequence[str],
        reference_order: Sequence[str],
        limits: TrustLimits,
        appearance: AppearanceRanges | None = None,
        flip_inferer: Inferer | None = None,
        subsets: SubsetScores | None = None,
        is_calibrated: bool = True,
        reference_key: str = "reference",
    ) -> None:
        super().__init__(keys)
        self.sequences = tuple(sequences)
        self.reference_order = tuple(reference_order)
        self.limits = limits
        self.appearance = appearance
        self.flip_inferer = flip_inferer
        self.subsets = subsets
        self.is_calibrated = is_calibrated
        self.reference_key = reference_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Assess one patient."""
        assessed = dict(data)
        image = data["image"]
        present = [name for name, channel in zip(self.sequences, image, strict=True) if bool(channel.any())]
        preparation = json.loads(data.get("preparation", "{}"))
        agreement = getattr(self.flip_inferer, "agreement", None)
        measured: dict[str, Any] = {} if agreement is None else {"agreement": round(agreement, 3)}
        if told := self.subsets.tell(present) if self.subsets is not None else "":
            measured["measured"] = told
        notes = [
            *(Finding("", sentence) for sentence in preparation.get("notes", ())),
            *self._note_absent(present),
            *self._note_subset(present),
            *self._note_unchecked(present),
            *self._note_uncalibrated(),
        ]
        for key in self.key_iterator(assessed):
            reasons = (
                _check_damaged(preparation)
                + self._check_subset(present)
                + self._check_appearance(image)
                + self._check_anatomy(data, data[key], present)
                + self._check_agreement(agreement)
            )
            assessed["trust"] = _as_json(reasons, notes, _without(preparation)) | measured
        return assessed

    def _check_appearance(self, image: Any) -> list[Finding]:
        if self.appearance is None:
            return []
        limits, description = self.limits, describe_appearance(image, self.sequences)
        return self.appearance.check(description, limits.appearance_tolerance, limits.joint_tolerance)

    def _check_subset(self, present: Sequence[str]) -> list[Finding]:
        return [] if self.subsets is None else self.subsets.check(present, self.limits.minimum_subset_dice)

    def _note_subset(self, present: Sequence[str]) -> list[Finding]:
        limits = self.limits
        if self.subsets is None:
            return []
        return self.subsets.note(present, limits.minimum_subset_dice, limits.doubtful_subset_dice)

    def _note_uncalibrated(self) -> list[Finding]:
        if self.is_calibrated:
            return []
        return [
            Finding(
                "",
                "Probabilities and confidences are the network's own, which are too high as a rule: no operating point "
                "with a temperature lies beside the weights.",
            )
        ]

    def _check_anatomy(self, data: Mapping[Hashable, Any], mask: Any, present: Sequence[str]) -> list[Finding]:
        image = data["image"]
        reference = next(name for name in self.reference_order if name in present)
        channel = np.asarray(image[self.sequences.index(reference)].cpu())
        shown = channel > channel.min()  # head, or brain where it is known: all else lies on the lowest value
        affine = np.asarray(image.affine)
        lesion_ml = float((mask > 0.5).sum()) * voxel_volume_ml(np.asarray(mask.affine))
        brain_ml = float(shown.sum()) * voxel_volume_ml(affine)
        limits = self.limits
        return [
            *self._check_edges(data, shown, affine),
            *check_height(shown, tuple(affine_to_spacing(affine)), limits.minimum_height_mm),
            *check_volume(lesion_ml, brain_ml, limits.maximum_lesion_ml, limits.maximum_brain_share),
        ]

    def _check_edges(self, data: Mapping[Hashable, Any], shown: np.ndarray, affine: np.ndarray) -> list[Finding]:
        if self.reference_key not in data:
            return check_field_of_view(shown, affine)
        # The whole head of the reference: a brain mask may end before the brain does.
        reference = data[self.reference_key]
        head = foreground(reference[0].as_tensor().cpu()).numpy()
        native = np.asarray(reference.meta["original_affine"], dtype=float)
        shape = tuple(int(size) for size in reference.meta["spatial_shape"])
        return check_field_of_view(head, np.asarray(reference.affine), (native, shape))

    def _check_agreement(self, agreement: float | None) -> list[Finding]:
        if agreement is None or agreement >= self.limits.minimum_agreement:
            return []
        return [
            Finding(
                "flips disagree",
                f"Mirror images of the scan do not give the same mask: mean Dice {agreement:.2f}, at least "
                f"{self.limits.minimum_agreement:g} is expected.",
            )
        ]

    def _note_absent(self, present: Sequence[str]) -> list[Finding]:
        absent = [name for name in self.sequences if name not in present]
        notes = [Finding("no DWI", DWI_ABSENT)] if "dwi" in absent else []
        others = ", ".join(name.upper() for name in absent if name != "dwi")
        return [*notes, Finding("", f"Absent, and done without: {others}.")] if others else notes

    def _note_unchecked(self, present: Sequence[str]) -> list[Finding]:
        known = self.appearance.ranges if self.appearance is not None else {}
        unchecked = ", ".join(name.upper() for name in present if name not in known)
        if not unchecked:
            return []
        return [Finding("", f"Not compared with the training's images, of which nothing is known: {unchecked}.")]


def _check_damaged(preparation: Mapping[str, Any]) -> list[Finding]:
    if "dwi" not in preparation.get("damaged", ()):
        return []
    return [Finding("DWI damaged", "There is a DWI, and it could not be read: what it shows was not looked at.")]


def _without(preparation: Mapping[str, Any]) -> list[str]:
    """Name in a few words the sequences that are there and were not used: damaged ones, and misregistered ones."""
    registration = preparation.get("registration", {})
    damaged = [f"{name.upper()} damaged" for name in preparation.get("damaged", ())]
    return damaged + [f"{name.upper()} left out" for name, numbers in registration.items() if not numbers["used"]]


def _as_json(reasons: Sequence[Finding], notes: Sequence[Finding], without: Sequence[str]) -> dict[str, Any]:
    told = (*(finding.topic for finding in reasons), *without, *(finding.topic for finding in notes))
    topics = [topic for topic in told if topic]
    return {
        "is_trusted": not reasons,
        "reasons": [finding.sentence for finding in reasons],
        "notes": [finding.sentence for finding in notes],
        "in_short": ", ".join(dict.fromkeys(topics if reasons else ["ok", *topics])),
    }
