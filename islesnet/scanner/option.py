"""What may stand for a sequence (one volume, or the directions of one b-value), and which of two is better."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from islesnet.scanner.candidate import Candidate
from islesnet.scanner.dicom.stacks import look_up
from islesnet.scanner.patient import COMPANIONS, Image
from islesnet.scanner.volume_files import forget_files

_WISHED_B_VALUE = 1000.0
_USUAL = 200.0  # s/mm2 from the wished one; further away, lesions look fainter or brighter than the network has seen
_DARKEST = np.float32(1e-6)  # a voxel of 0 has no logarithm
_HEAD_MM = 200.0  # a field of view beyond this shows no more of the brain
_DIFFUSION = {"dwi", "b0"}  # whose ratio is the ADC, and whose mean over directions the trace
_OF_A_VISIT = ("FrameOfReferenceUID", "StudyDate")
_REFORMATTED = {"MPR", "REFORMATTED", "RESAMPLED", "INTERPOLATED", "AVERAGE", "COMPRESSED"}
# Siemens exports one acquisition several times over: words of the image type or the description, and what is said of
# whoever has them.
_PROCESSED = (
    ({"UNI"}, "it is the uniform image of an MP2RAGE"),
    ({"INV1"}, "it is the earlier inversion of an MP2RAGE"),
    ({"DIS2D", "DIS3D"}, "it is corrected for distortion"),
    ({"NORM"}, "it is corrected for the coil's shading"),
)
_REPEATED = {"repeat", "repeated", "rep", "rpt", "redo", "wdh", "wiederholung"}


@dataclass(frozen=True)
class Option:
    """One way to fill a role.

    Args:
        role: the sequence.
        members: the volumes it is made of: one, or several directions whose geometric mean is taken.
        why: what says that it is this sequence.
        is_mean: whether it is a mean over directions, made by the scanner or here; None where it is not known.
    """

    role: str
    members: tuple[Candidate, ...]
    why: str
    is_mean: bool | None = None

    @property
    def first(self) -> Candidate:
        """The volume whose grid and header stand for all."""
        return self.members[0]

    @property
    def source(self) -> str:
        """How messages name it."""
        several = f", {len(self.members)} directions" if len(self.members) > 1 else ""
        return f"{self.first.source}{several}"

    def load(self) -> tuple[Image, list[str]]:
        """Read it; directions are averaged geometrically, which averages their exponents: the trace."""
        try:
            return self._load()
        finally:
            forget_files()

    def _load(self) -> tuple[Image, list[str]]:
        import SimpleITK as sitk  # noqa: N813

        if len(self.members) == 1:
            image, notes = self._read(self.first)
            return image, [*self.first.notes, *notes]
        notes, total = list(self.first.notes), np.float32(0)
        for member in self.members:
            image, said = self._read(member)
            total = total + np.log(np.maximum(sitk.GetArrayFromImage(image), _DARKEST))
            notes += said
        mean: Image = sitk.GetImageFromArray(np.exp(total / len(self.members)).astype(np.float32))
        mean.CopyInformation(image)
        return mean, notes

    def _read(self, member: Candidate) -> tuple[Image, list[str]]:
        """Read a volume as it is displayed; as its signal where values are compared that may be scaled differently.

        Those are the b-values and directions of diffusion, and the slices of one volume. A map's unit is that of what
        is displayed.
        """
        image, notes = member.load()
        is_compared = self.role in _DIFFUSION or (self.role != "adc" and member.scaling.is_uneven)
        return member.scaling.signal_of(image) if is_compared else image, notes

    def holds(self, image: Image) -> bool:
        """Tell whether it has an image's values, voxel by voxel."""
        import SimpleITK as sitk  # noqa: N813

        own, _ = self.load()
        return bool(np.array_equal(sitk.GetArrayViewFromImage(own), sitk.GetArrayViewFromImage(image)))

    def doubts(self) -> list[str]:
        """Say what a reader should know of a DWI that is not a trace of b = 1000 made by the scanner."""
        if self.role != "dwi":
            return []
        said = []
        b_value = self.first.facts.b_value
        if len(self.members) > 1:
            said.append(f"The DWI is the geometric mean of {len(self.members)} directions of {self.first.source}.")
        elif self.is_mean is False:
            said.append(
                f"The DWI is one direction ({self.source}), not a mean: fibres along others look bright, and an ADC "
                "computed from it is low there without an infarct."
            )
        if b_value is not None and abs(b_value - _WISHED_B_VALUE) > _USUAL:
            said.append(f"The DWI has b = {b_value:g} s/mm2; the network knows b = {_WISHED_B_VALUE:g}.")
        return said

    def merits(self, anchor: Candidate | None) -> list[tuple[float, str]]:
        """List what two options are compared by, the most important first: (number, lower is better; reason in words).

        Args:
            anchor: the volume that says which examination is meant; for a companion of the DWI, the DWI.
        """
        facts, grid = self.first.facts, self.first.grid
        is_elsewhere = anchor is not None and bool(anchor.study) and self.first.study not in ("", anchor.study)
        merits = [(float(is_elsewhere), "it is of the same examination")]
        if self.role in COMPANIONS and anchor is not None:
            return [*merits, *self._merits_beside(anchor)]
        if self.role == "dwi":
            b_value = _WISHED_B_VALUE if facts.b_value is None else facts.b_value
            distance = round(abs(b_value - _WISHED_B_VALUE) / 50)
            merits.append((float(distance), f"its b-value is nearest to {_WISHED_B_VALUE:g}"))
            # GE never says of its trace that it is one.
            merits.append((float(self.is_mean is False), "it is not one direction alone"))
            merits.append((float(not facts.is_trace), "it is the scanner's own trace"))
        merits.append((float(bool(_REFORMATTED & set(facts.image_type))), "it is not reformatted"))
        # Which of two DWIs is the acute one no grid says, unless one examination has both.
        if grid is not None and (self.role != "dwi" or self.first.study):
            covered = float(np.prod(np.minimum(grid.extents, _HEAD_MM))) / 1000
            merits.append((-float(round(covered / 200)), "its field of view covers more of the head"))
            merits.append((float(f"{grid.voxel_mm3:.2g}"), f"its voxels are smaller ({grid.voxel_mm3:.2f} mm3)"))
        said = {*facts.image_type, *(word.upper() for word in facts.words)}
        merits += [(float(not words & said), told) for words, told in _PROCESSED]
        return [*merits, (float(self.role == "dwi" and self.is_mean is not True), "it is a mean over directions")]

    def _merits_beside(self, dwi: Candidate) -> list[tuple[float, str]]:
        own = self.first
        return [
            (float(own.series != dwi.series), f"it is in one series with {dwi.source}"),
            (float(not are_on_one_grid(own, dwi)), f"it lies on the grid of {dwi.source}"),
            (_between(own, dwi), f"its series number is nearest to that of {dwi.source}"),
        ]


def are_of_one_examination(first: Candidate, second: Candidate) -> bool:
    """Tell whether two may be used together: from one study, an unknown one, or one visit that was split in two.

    Two studies are one visit where they share the frame of reference, which a PACS keeps when it splits a visit, and
    their dates do not differ. The date alone is not enough: patients are scanned before and after a thrombectomy on
    one day, and where dates were removed from the headers, all are alike.
    """
    if first.study == second.study or not first.study or not second.study:
        return True
    frames, days = ({look_up(candidate, keyword) for candidate in (first, second)} for keyword in _OF_A_VISIT)
    return len(frames) == 1 and "" not in frames and len(days - {""}) <= 1


def are_on_one_grid(first: Candidate, second: Candidate) -> bool:
    """Tell whether two volumes are known to have the same voxels."""
    return first.grid is not None and second.grid is not None and first.grid.is_same(second.grid)


def is_repetition(later: Option, earlier: Option) -> bool:
    """Tell whether a series is described as a repetition of another, in the same study and alike in all else.

    Equal descriptions are not enough: the directions of a scan that was split into several series have them as well.
    """
    second, first = later.first, earlier.first
    described = tuple(word for word in second.facts.words if word not in _REPEATED)
    return (
        described == first.facts.words != second.facts.words
        and replace(second.facts, words=(), folder_words=()) == replace(first.facts, words=(), folder_words=())
        and first.study == second.study != ""
        and len(earlier.members) == len(later.members)
        and are_on_one_grid(first, second)
    )


def ranked(options: Sequence[Option], anchor: Candidate | None) -> list[Option]:
    """Sort options, the best first; of equal ones the latest series comes first, within a series its first volume."""
    series = list(dict.fromkeys(option.first.series for option in options))

    def rank(option: Option) -> tuple[list[float], int]:
        return [number for number, _ in option.merits(anchor)], -series.index(option.first.series)

    return sorted(options, key=rank)


def deciding_merit(better: Option, other: Option, anchor: Candidate | None) -> str:
    """Say why one is better than another; nothing where they are equal."""
    for (first, told), (second, _) in zip(better.merits(anchor), other.merits(anchor), strict=False):
        if first != second:
            return told
    return ""


def _between(first: Candidate, second: Candidate) -> float:
    """Give how far apart the numbers of two series are; infinite where either has none."""
    numbers = [look_up(candidate, "SeriesNumber") for candidate in (first, second)]
    return float(abs(int(numbers[0]) - int(numbers[1]))) if all(map(str.isdecimal, numbers)) else np.inf
