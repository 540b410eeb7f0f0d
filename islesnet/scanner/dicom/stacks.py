"""Sort the slices of a series into volumes: by orientation, contrast, b-value and direction, and by repetition."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from islesnet.scanner.candidate import Candidate, Scaling, UnusableError
from islesnet.scanner.dicom.frames import Frame
from islesnet.scanner.dicom.geometry import grid_through, is_orientation, same_places
from islesnet.scanner.dicom.headers import distrusted, open_header, text
from islesnet.scanner.dicom.pixels import read_values
from islesnet.scanner.patient import Image
from islesnet.scanner.volume_files import without_nan
from islesnet.volumes.geometry import check_lengths

_SAME_ORIENTATION = 1e-3


def candidates_in_series(frames: Sequence[Frame], source: str) -> list[Candidate]:
    """Describe the volumes of one series; no voxel is read.

    Args:
        frames: all slices of the series.
        source: how messages name the series; where it is spread over folders, each b-value is named by its own files.
    """
    volumes = [volume for group in _groups(frames) for volume in _repetitions(group)]
    return [_candidate(volume, _name_of(volume, frames) or source, len(volumes)) for volume in volumes]


def series_name(frames: Sequence[Frame]) -> str:
    """Name a series by its number and where its first file lies; never by its description, which may name a person."""
    number = f"series {frames[0].series_number}" if frames[0].series_number is not None else "a series"
    if any(frame.is_named_by_person for frame in frames):
        return number
    return f"{number} ({min(frame.inside for frame in frames)})"


def look_up(candidate: Candidate, keyword: str) -> str:
    """Read one header value on demand.

    It is used for a decision and never stored, so that dates cannot leak into results.

    Returns:
        The value as text; empty where the candidate is not from DICOM or its header lacks the value.
    """
    if not candidate.frames:
        return ""
    try:
        with distrusted():
            return text(open_header(candidate.frames[0].path), keyword).strip()
    except UnusableError:
        return ""


def _name_of(volume: Sequence[Frame], frames: Sequence[Frame]) -> str:
    """Name a volume by the files of its b-value if the series is spread over folders; empty if it lies in one.

    All directions of one b-value get the same name.
    """
    if len({Path(frame.inside).parent for frame in frames}) == 1:
        return ""
    return series_name([frame for frame in frames if frame.facts.b_value == volume[0].facts.b_value])


def _candidate(slices: list[Frame], source: str, volumes: int) -> Candidate:
    first = slices[0]
    told = source
    if first.facts.b_value is not None and volumes > 1:
        told = f"{source}, b = {first.facts.b_value:g}"
    grid, fault = None, ""
    notes: list[str] = []
    try:
        if not is_orientation(first.orientation):
            raise UnusableError(
                "has an Image Orientation (Patient) (0020,0037) that is no orientation (two directions of length 1 at "
                "right angles); export the series again"
            )
        if (places := len(same_places(slices))) < len(slices):
            raise UnusableError(
                f"has {len(slices)} slices at {places} places, at some more often than at others: slices are missing; "
                "export it again, whole"
            )
        grid, notes = grid_through(slices)
        if errors := check_lengths(grid.shape, grid.spacing):
            raise UnusableError(f"has {errors[0].message}")
    except UnusableError as error:
        fault = str(error)
    return Candidate(
        source=told,
        series=first.series,
        study=first.study,
        facts=first.facts,
        grid=grid,
        load=partial(_load, slices, told),
        frames=tuple(frame.place for frame in slices),
        fault=fault,
        notes=tuple(f"{told}: {note}." for note in notes),
        scaling=_scaling(slices),
    )


def _scaling(slices: Sequence[Frame]) -> Scaling:
    divisors = [frame.slope * frame.scale_slope for frame in slices if frame.slope and frame.scale_slope is not None]
    if len(divisors) == len(slices):
        return Scaling(tuple(divisors))
    if divisors or any(frame.is_philips for frame in slices):
        return Scaling(slopes=tuple(frame.slope for frame in slices))
    return Scaling()


def _groups(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Put together the slices that were acquired alike."""
    groups: dict[object, list[Frame]] = {}
    orientations: list[tuple[float, ...]] = []
    for frame in frames:
        facts = frame.facts
        known = next((at for at, other in enumerate(orientations) if _is_alike(other, frame.orientation)), None)
        if known is None:
            known = len(orientations)
            orientations.append(frame.orientation)
        key = (known, frame.size, frame.spacing, facts.image_type, facts.echo_time_ms, facts.inversion_time_ms)
        groups.setdefault((*key, facts.b_value, facts.direction, facts.is_trace), []).append(frame)
    return list(groups.values())


def _is_alike(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    if len(first) != len(second):
        return False
    return first == second or float(np.abs(np.subtract(first, second)).max()) <= _SAME_ORIENTATION


def _repetitions(group: list[Frame]) -> list[list[Frame]]:
    """Part slices that come several times at each place, in the order of acquisition; else leave them together."""
    if not is_orientation(group[0].orientation):  # what is a place is not known
        return [group]
    places = same_places(group)
    counts = {len(place) for place in places}
    if len(counts) != 1:
        return [[frame for place in places for frame in place]]
    ordered = [sorted(place, key=lambda frame: frame.order) for place in places]
    return [list(volume) for volume in zip(*ordered, strict=True)]


def _load(slices: list[Frame], source: str) -> tuple[Image, list[str]]:
    import SimpleITK as sitk  # noqa: N813

    grid, _ = grid_through(slices)
    values, notes = without_nan(read_values(slices), source)
    return grid.put_on(sitk.GetImageFromArray(values)), notes
