"""nnU-Net raw: `imagesTr/case_0000.nii.gz`, `labelsTr/case.nii.gz`, and `dataset.json`, which names the channels."""

import json
import re
from pathlib import Path
from typing import Any

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble
from islesnet.data.layouts.listing import volumes_in
from islesnet.errors import InputError
from islesnet.files import is_folder
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import sequence_named, stem_of

NAME = "nnunet"
DESCRIPTION = "nnU-Net raw: imagesTr/<case>_0000.nii.gz, labelsTr/<case>.nii.gz, dataset.json with channel_names"

_SECTIONS = (("imagesTr", "labelsTr"), ("imagesTs", "labelsTs"))
# Channels that other programs use beside ours; they are passed over, not refused.
_UNUSED = re.compile(r"adc|swi|t1[ _-]?(c|gd|post)|cbf|cbv|mtt|tmax|ttp|\bct|pwi|asl|t2[ _-]?(star|\*)", re.IGNORECASE)


def recognises(folder: Path) -> bool:
    """Tell whether a folder holds `imagesTr` or `imagesTs`."""
    return any(is_folder(folder / images) for images, _ in _SECTIONS)


def find(folder: Path) -> list[Case]:
    """Find the cases of `imagesTr` and `imagesTs`, labels where there are any.

    Raises:
        InputError: where dataset.json is missing or unreadable, or names a channel that nobody knows.
    """
    channels = _channels(folder / "dataset.json")
    cases = []
    for images, labels in _SECTIONS:
        claims: dict[str, list[tuple[str, Path]]] = {}
        for path in _volumes(folder / images):
            name, sequence = _read_name(path, channels)
            if sequence is not None:
                claims.setdefault(name, []).append((sequence, path))
        for path in _volumes(folder / labels):
            claims.setdefault(stem_of(path.name) or path.name, []).append(("label", path))
        cases += [case for name, files in claims.items() if (case := assemble(name, files)) is not None]
    return cases


def _volumes(folder: Path) -> list[Path]:
    return volumes_in(folder) if folder.is_dir() else []


def _read_name(path: Path, channels: dict[int, str | None]) -> tuple[str, str | None]:
    name, _, number = (stem_of(path.name) or path.name).rpartition("_")
    if not re.fullmatch(r"\d{4}", number) or not name:
        raise InputError(f"{path}: an nnU-Net image is named <case>_0000 (the channel, 4 digits)")
    if int(number) not in channels:
        known = ", ".join(f"{channel:04d}" for channel in channels)
        raise InputError(f"{path}: dataset.json names no channel {number}; it names {known}")
    return name, channels[int(number)]


def _channels(path: Path) -> dict[int, str | None]:
    """Map a channel's number to the sequence it holds; None for one that is not used here."""
    names = _channel_names(path)
    channels: dict[int, str | None] = {}
    for number, name in names.items():
        sequence = sequence_named(str(name))
        if sequence is None and not _UNUSED.search(str(name)):
            raise InputError(
                f"{path}: channel {number!r} is called {name!r}; to be found it must be called "
                f"one of {', '.join(SEQUENCES)} (in any case)"
            )
        if not str(number).isdecimal():
            raise InputError(f'{path}: channel number {number!r} is not a number; expected {{"0": "DWI", ...}}')
        channels[int(number)] = sequence
    return channels


def _channel_names(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(
            f"{path} is missing: it says which sequence each channel is; "
            'write {"channel_names": {"0": "DWI", "1": "FLAIR"}} there'
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not readable JSON: {error}") from error
    names = content.get("channel_names", content.get("modality")) if isinstance(content, dict) else None
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    if not isinstance(names, dict) or not names:
        raise InputError(f'{path} names no channels; expected "channel_names": {{"0": "DWI", "1": "FLAIR"}}')
    return names
