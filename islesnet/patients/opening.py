"""Open a patient's files; where a client hands over one image alone, find and prepare what belongs to it."""

import json
import logging
import os
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel
import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.data.utils import orientation_ras_lps
from monai.transforms import EnsureChannelFirst, MapTransform
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple, first

from islesnet.errors import InputError
from islesnet.patients.folders import name_without_suffix, volumes_but_results
from islesnet.patients.images import write_image
from islesnet.patients.preparing import PrepareScans
from islesnet.patients.scans import PREPARATION, Preparation
from islesnet.scanner import image_of, sequence_of_file
from islesnet.volumes import VolumeStack, read_header, read_volume_stack
from islesnet.volumes.file_names import read_name
from islesnet.volumes.volume import MOST_VOLUMES

logger = logging.getLogger(__name__)

# Of a volume in memory, what may say which sequence it is, by DICOM's keywords.
_DESCRIPTIONS = ("SeriesDescription", "ProtocolName")

_Step = Callable[[dict[Hashable, Any]], dict[Hashable, Any]]


class OpenPatientd(MapTransform):
    """Load a patient's sequences, or those of the patient whom a single image is of.

    An item that names sequences is loaded as it is. One that has an image and no sequence comes from a client that
    knows one image a patient: a path, as MONAI Label has it, or a volume in memory, as MONAI Deploy has it. That image
    is what its name, a side file or its series' description says, otherwise it is taken for the first of
    ``reference_order``; the files beside a path whose names differ by the sequence alone are taken too. An image of as
    many volumes as there are sequences, of which nothing says what it is, holds these in their order, absent ones as
    zeros. All is prepared as `PrepareScans` does, whatever ``prepare_scans`` says of other items, the image as
    reference, so that the mask lies on its grid; no file is left behind.

    Args:
        keys: under which a client hands over one image, "image" by MONAI's rule.
        load: what checks and loads the files, one after the other. A list: MONAI's cache would take the random state
            of a `Compose` for a setting.
        sequences: of the network, in the order of a file of several volumes.
        reference_order: of the sequences, where a file holds several, or none is named.
        brain_mask: as for `PrepareScans`.
        device: as for `PrepareScans`.

    Shapes:
        a volume in memory is a MetaTensor ``(X, Y, Z)``, or has a channel where its "original_channel_dim" says.

    Raises:
        InputError: for an image that is no sequence, such as an ADC map, for a volume in memory without an affine, and
            as `PrepareScans` and ``load``.
    """

    def __init__(
        self,
        keys: KeysCollection,
        load: Sequence[_Step],
        sequences: Sequence[str],
        reference_order: Sequence[str],
        brain_mask: str = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(keys)
        self.load = list(load)
        self.sequences = ensure_tuple(sequences)
        self.reference_order = tuple(sequence for sequence in reference_order if sequence in self.sequences)
        self.brain_mask = brain_mask
        self.device = str(device)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load one patient; that of a single image gets "reference" too, the image itself."""
        image = data.get(first(self.keys))
        if image is None or any(sequence in data for sequence in self.sequences):
            return self._load(dict(data))
        with TemporaryDirectory() as folder:
            is_path = isinstance(image, str | Path)
            path = Path(os.path.abspath(image)) if is_path else _write(image, Path(folder))  # noqa: PTH100  - links stay
            found = self._find(path, Path(folder))
            try:
                return self._open(dict(data), found, folder)
            except InputError as fault:
                if len(found.files) == 1:
                    raise
                return self._open(dict(data), found.alone(fault), folder)

    def _load(self, item: dict[Hashable, Any]) -> dict[Hashable, Any]:
        for step in self.load:
            item = step(item)
        return item

    def _open(self, data: dict[Hashable, Any], found: "_Found", folder: str) -> dict[Hashable, Any]:
        """Prepare and load what was found."""
        others = [sequence for sequence in self.reference_order if sequence != found.reference]
        item: dict[Hashable, Any] = {"patient": "patient"}
        item |= {sequence: str(path) for sequence, path in found.files.items()}
        item = PrepareScans(folder, [found.reference, *others], self.brain_mask, self.device)(item)
        preparation = Preparation.from_text(item[PREPARATION])
        item[PREPARATION] = replace(preparation, notes=(*found.notes, *preparation.notes)).to_text()
        loaded = self._load(data | item)
        return {**loaded, "reference": loaded[found.reference].clone()}

    def _find(self, image: Path, folder: Path) -> "_Found":
        """Find the sequences of an image's patient."""
        sequence = sequence_of_file(image)
        if sequence is not None and sequence in self.sequences:
            return _Found({sequence: image, **_beside(image, set(self.sequences) - {sequence})})
        if sequence is not None:
            raise InputError(f"{image.name} is {sequence.upper()}; {', '.join(self.sequences)} can be segmented")
        volumes = read_header(image, MOST_VOLUMES).volumes
        if volumes == len(self.sequences) > 1:
            told = ", ".join(sequence.upper() for sequence in self.sequences)
            note = f"{image.name} holds {volumes} volumes; they were taken for {told}, in this order."
            return _Found(self._unstack(read_volume_stack(image), folder), (note,))
        sequence = self.reference_order[0]
        nothing = "neither its name nor a file beside it says which sequence it is"
        return _Found({sequence: image}, (f"{image.name}: {nothing}; it was taken for the {sequence.upper()}.",))

    def _unstack(self, stack: VolumeStack, folder: Path) -> dict[str, Path]:
        """Write the volumes of a file, each a sequence of its own, without those of zeros; the reference first."""
        volumes = {sequence: stack.volume(index) for index, sequence in enumerate(self.sequences)}
        present = [sequence for sequence in self.reference_order if volumes[sequence].array.any()]
        if not present:
            raise InputError(f"{stack.path.name} holds nothing but zeros")
        for sequence in present:
            volume = volumes[sequence]
            write_image(folder / f"{sequence}.nii.gz", image_of(volume.array, volume.affine, stack.path.name))
        return {sequence: folder / f"{sequence}.nii.gz" for sequence in present}


def _write(image: Any, folder: Path) -> Path:
    """Write a volume in memory with the description of its series, for what reads files to read it."""
    if not isinstance(image, MetaTensor):
        raise InputError("an image in memory needs an affine: hand over a MetaTensor, or the path of a file")
    if image.ndim != 3 and not (image.ndim == 4 and MetaKeys.ORIGINAL_CHANNEL_DIM in image.meta):
        raise InputError(
            f"an image in memory of shape {tuple(image.shape)}: hand over (X, Y, Z), or four axes with the channels' "
            'as "original_channel_dim" of its metadata'
        )
    volumes = EnsureChannelFirst(channel_dim="no_channel" if image.ndim == 3 else None)(image)
    affine = np.asarray(image.affine, dtype=np.float64)
    if image.meta.get(MetaKeys.SPACE) == SpaceKeys.LPS:
        affine = np.asarray(orientation_ras_lps(affine))
    path, array = folder / "image.nii", np.asarray(volumes.cpu(), dtype=np.float32)
    # (C, X, Y, Z) -> (X, Y, Z, C), as NIfTI has it
    array = array[0] if len(array) == 1 else np.moveaxis(array, 0, -1)
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    described = {name: str(image.meta[name]) for name in _DESCRIPTIONS if name in image.meta}
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    return path


@dataclass(frozen=True)
class _Found:
    """The files of a patient's sequences, that of the image first, and what a reader should know of the finding."""

    files: Mapping[str, Path]
    notes: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        return next(iter(self.files))

    def alone(self, fault: InputError) -> "_Found":
        """Leave out what lies beside the image, for it cannot be used."""
        note = f"The sequences beside {self.files[self.reference].name} were not used: {fault}"
        return _Found({self.reference: self.files[self.reference]}, (*self.notes, note))


def _beside(image: Path, sequences: Collection[str]) -> dict[str, Path]:
    """Find a patient's other sequences: files whose names differ from the image's by the sequence alone."""
    whose = read_name(name_without_suffix(image), image.parent.name).rest
    claims: dict[str, list[Path]] = {}
    for path in volumes_but_results(image.parent):
        reading = read_name(name_without_suffix(path), image.parent.name)
        if reading.role in sequences and reading.rest == whose and path != image:
            claims.setdefault(str(reading.role), []).append(path)
    for sequence, paths in claims.items():
        if len(paths) > 1:
            logger.warning("%s: more than one %s, and none is used", image.parent, sequence.upper())
    return {sequence: path for sequence, (path, *more) in claims.items() if not more}
