"""All that speaks against trusting a patient's mask, gathered by a transform of the postprocessing."""

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.inferers import Inferer
from monai.transforms import MapTransform

from islesnet.transforms import foreground, voxel_volume_ml
from islesnet.trust.anatomy import check_field_of_view, check_height, check_volume
from islesnet.trust.finding import Finding
from islesnet.trust.limits import TrustLimits
from islesnet.trust.record import NetworkRecord

DWI_ABSENT = (
    "DWI is absent: an infarct of the first hours can be invisible on every other sequence, so that an empty mask does "
    "not exclude one."
)


class AssessTrustd(MapTransform):
    """Say whether a patient's mask is to be trusted, and why not.

    What the preparation of the scans noted (`islesnet.patients.PrepareScans`) comes first among the notes. What is
    found goes under "trust" as JSON has it: is_trusted, reasons (sentences against trust), notes (sentences to
    be aware of), in_short (a few words for a table's cell), measured (what the network reaches on test patients with
    these sequences, where that was measured), and agreement (of flips, where they were made). Beside the mask the data
    has "image", as it entered the network, on axes nearest to right, anterior, superior. Whether the
    head is cut is judged at the borders of the file of "reference", before any brain mask; without a reference, at
    those of the image.

    Args:
        keys: the mask, on the native grid, with an affine in mm.
        sequences: names of the image's channels.
        reference_order: the first present one is the one whose height and volume are measured.
        limits: from where on a mask is not to be trusted.
        record: what is known of the network.
        flip_inferer: its `agreement`, if it has one, is of this patient: each mask is assessed before the next
            patient is inferred.

    Shapes:
        mask ``(1, X, Y, Z)``, image ``(C, X', Y', Z')``; both are handed on unchanged.
    """

    def __init__(
        self,
        keys: KeysCollection,
        sequences: Sequence[str],
        reference_order: Sequence[str],
        limits: TrustLimits,
        record: NetworkRecord,
        flip_inferer: Inferer | None = None,
    ) -> None:
        super().__init__(keys)
        self.sequences = tuple(sequences)
        self.reference_order = tuple(reference_order)
        self.limits = limits
        self.record = record
        self.flip_inferer = flip_inferer

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Assess one patient."""
        assessed = dict(data)
        image = data["image"]
        present = [name for name, channel in zip(self.sequences, image, strict=True) if bool(channel.any())]
        preparation = json.loads(data.get("preparation", "{}"))
        agreement = getattr(self.flip_inferer, "agreement", None)
        measured: dict[str, Any] = {} if agreement is None else {"agreement": round(agreement, 3)}
        if told := self.record.tell(present):
            measured["measured"] = told
        notes = [
            *(Finding("", sentence) for sentence in preparation.get("notes", ())),
            *self._note_absent(present),
            *self.record.note(present, self.limits),
        ]
        for key in self.key_iterator(assessed):
            reasons = (
                _check_damaged(preparation)
                + _check_sides(preparation)
                + self.record.check_subset(present, self.limits)
                + self.record.check_appearance(image, self.sequences, self.limits)
                + self._check_anatomy(data, data[key], present)
                + self._check_agreement(agreement)
            )
            assessed["trust"] = _as_json(reasons, notes, _without(preparation)) | measured
        return assessed

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
        if "reference" not in data:
            return check_field_of_view(shown, affine)
        # The whole head of the reference: a brain mask may end before the brain does.
        reference = data["reference"]
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


def _check_damaged(preparation: Mapping[str, Any]) -> list[Finding]:
    if "dwi" not in preparation.get("damaged", ()):
        return []
    return [Finding("DWI damaged", "There is a DWI, and it could not be read: what it shows was not looked at.")]


def _without(preparation: Mapping[str, Any]) -> list[str]:
    """Name in a few words the sequences that are there and were not used: damaged ones, and misregistered ones."""
    registration = preparation.get("registration", {})
    damaged = [f"{name.upper()} damaged" for name in preparation.get("damaged", ())]
    return damaged + [f"{name.upper()} left out" for name, numbers in registration.items() if not numbers["used"]]


def _check_sides(preparation: Mapping[str, Any]) -> list[Finding]:
    doubtful = preparation.get("doubtful_sides", ())
    if not doubtful:
        return []
    told = ", ".join(name.upper() for name in doubtful)
    sentence = f"The header of {told} leaves open which side is left: sides may be exchanged, check them on the scan."
    return [Finding("left or right?", sentence)]


def _as_json(reasons: Sequence[Finding], notes: Sequence[Finding], without: Sequence[str]) -> dict[str, Any]:
    told = (*(finding.topic for finding in reasons), *without, *(finding.topic for finding in notes))
    topics = ", ".join(dict.fromkeys(topic for topic in told if topic))
    return {
        "is_trusted": not reasons,
        "reasons": [finding.sentence for finding in reasons],
        "notes": [finding.sentence for finding in notes],
        "in_short": topics if reasons else f"note: {topics}" if topics else "ok",
    }
