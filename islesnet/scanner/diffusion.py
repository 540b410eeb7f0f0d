"""Pick the diffusion-weighted image out of a series' b-values and directions."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from islesnet.scanner.candidate import Candidate, UnusableError
from islesnet.scanner.option import Option, are_on_one_grid
from islesnet.scanner.volume_files import forget_files

LOWEST_DWI = 500.0  # s/mm2; below this T2 outshines diffusion
_HIGHEST_B0 = 60.0  # some protocols have b = 50 in its stead
_WISHED = 1000.0
_SAME_SHELL = 0.06  # the b-values of one shell differ a little with the direction
_FEWEST_DIRECTIONS = 3


def dwi_options(candidates: Sequence[Candidate]) -> list[Option]:
    """Make at most one option of every series.

    Args:
        candidates: sound volumes that are diffusion-weighted, b = 0 among them.
    """
    series: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        series.setdefault(candidate.series, []).append(candidate)
    options = [_option(volumes) for volumes in series.values()]
    return [option for option in options if option is not None]


def b0_options(candidates: Sequence[Candidate]) -> list[Option]:
    """List the volumes without diffusion weighting: b = 0, or the lowest up to 60 s/mm2."""
    known = [candidate for candidate in candidates if candidate.facts.b_value is not None]
    low = [candidate for candidate in known if (candidate.facts.b_value or 0.0) <= _HIGHEST_B0]
    options = [Option("b0", (candidate,), f"b = {candidate.facts.b_value:g} s/mm2") for candidate in low]
    weighted = {candidate.series for candidate in known if (candidate.facts.b_value or 0.0) >= LOWEST_DWI}
    # Canon says nothing of b where there is no gradient.
    unsaid = [c for c in candidates if c.facts.b_value is None and c.series in weighted and not c.facts.is_trace]
    options += [Option("b0", (c,), "no b-value in a diffusion series") for c in unsaid]
    return sorted(options, key=lambda option: option.first.facts.b_value or 0.0)


def _option(volumes: list[Candidate]) -> Option | None:
    high = [c for c in volumes if c.facts.b_value is not None and c.facts.b_value >= LOWEST_DWI]
    if not high:
        unsaid = [c for c in volumes if c.facts.b_value is None]
        if len(unsaid) != 1:  # of several without b-values none can be picked
            return None
        return Option("dwi", (unsaid[0],), "said to be a DWI; its b-value is not said", unsaid[0].facts.is_trace)
    nearest = min((_b_value(c) for c in high), key=lambda b: (abs(b - _WISHED), -b))
    shell = [c for c in high if abs(_b_value(c) - nearest) <= _SAME_SHELL * nearest]
    why = f"b = {nearest:g} s/mm2"
    if others := sorted({_b_value(c) for c in high} - {_b_value(c) for c in shell}):
        why += f", nearer to {_WISHED:g} than {', '.join(f'{b:g}' for b in others)}"
    if traces := [c for c in shell if c.facts.is_trace]:
        return Option("dwi", (_without_copies(traces)[0],), f"{why}, the trace", True)
    single = _without_copies(shell)
    if len(single) == 1:
        is_direction = single[0].facts.direction is not None or single[0].facts.is_trace is False
        if is_direction:
            return Option("dwi", (single[0],), f"{why}, one direction", False)
        return Option("dwi", (single[0],), why)
    is_mean = len(single) >= _FEWEST_DIRECTIONS
    return Option("dwi", tuple(single), f"{why}, the geometric mean of {len(single)} directions", is_mean)


def _without_copies(shell: list[Candidate]) -> list[Candidate]:
    """Take what lies on the grid of the first, and of volumes that are equal voxel by voxel one, with a note.

    An archive may export every slice twice under new UIDs. Only volumes of one weighting are read to be compared.
    """
    volumes = [candidate for candidate in shell if are_on_one_grid(candidate, shell[0])]
    weightings = Counter((candidate.facts.b_value, candidate.facts.direction) for candidate in volumes)
    same: dict[object, list[Candidate]] = {}
    for index, candidate in enumerate(volumes):
        weighting = (candidate.facts.b_value, candidate.facts.direction)
        voxels = _digest(candidate) if weightings[weighting] > 1 else None
        same.setdefault(index if voxels is None else (weighting, voxels), []).append(candidate)
    forget_files()
    first, *others = [copies[0] for copies in same.values()]
    note = _tell_copies(first.source, {len(copies) for copies in same.values()})
    return [replace(first, notes=(*first.notes, *note)), *others]


def _digest(candidate: Candidate) -> bytes | None:
    """Digest the voxels; None where they cannot be read, which is said where they are needed."""
    import SimpleITK as sitk  # noqa: N813

    try:
        image, _ = candidate.load()
    except UnusableError:
        return None
    return hashlib.sha256(sitk.GetArrayViewFromImage(image).tobytes()).digest()


def _tell_copies(source: str, counts: set[int]) -> list[str]:
    if counts == {1}:
        return []
    if counts == {2}:
        return [f"{source}: each slice is there twice; one is used: the other is a copy of it."]
    return [f"{source}: slices are there several times; one of each is used: the others are copies of it."]


def _b_value(candidate: Candidate) -> float:
    return candidate.facts.b_value or 0.0
