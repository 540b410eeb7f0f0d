"""Open a patient's files; where a client hands over one image alone, find and prepare what belongs to it."""

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monai.transforms import Transform
from monai.utils import ensure_tuple

from islesnet.data import cases_in_files
from islesnet.errors import InputError
from islesnet.patients.folders import name_without_suffix
from islesnet.patients.images import write_image
from islesnet.patients.preparing import PrepareScans
from islesnet.scanner import image_of, sequence_by_name
from islesnet.volumes import VolumeStack, read_volume_stack

logger = logging.getLogger(__name__)


class OpenPatient(Transform):
    """Load a patient's sequences, or those of the patient whom a single image is of.

    An item that names sequences is loaded as it is. One that has a path under "image" and no sequence comes from a
    client that knows one image a patient, as MONAI Label does. That image is what its name says, otherwise a DWI; the
    files beside it whose names say that they are other sequences of the patient are taken too. A file of as many
    volumes as there are sequences, whose name says none, holds these in their order, absent ones as zeros. All is
    prepared as `PrepareScans` does, the image as reference, so that the mask lies on its grid; no file is left behind.

    Args:
        load: loads the files of an item.
        sequences: that a file of several volumes holds.
        reference_order: of the sequences, where a file holds several.
        brain_mask: as for `PrepareScans`.

    Raises:
        InputError: for an image that is no sequence, such as an ADC map, and as `PrepareScans` and ``load``.
    """

    def __init__(
        self,
        load: Callable[[Mapping[Hashable, Any]], dict[Hashable, Any]],
        sequences: Sequence[str],
        reference_order: Sequence[str],
        brain_mask: str = "auto",
    ) -> None:
        self.load = load
        self.sequences = ensure_tuple(sequences)
        self.reference_order = ensure_tuple(reference_order)
        self.brain_mask = brain_mask

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load one patient; that of a single image gets "reference" too, the image itself."""
        image = data.get("image")
        if not isinstance(image, str | Path) or any(sequence in data for sequence in self.sequences):
            return self.load(data)
        with TemporaryDirectory() as folder:
            case = self._case_of(Path(image), Path(folder))
            reference = next(iter(case))
            others = [sequence for sequence in self.reference_order if sequence != reference]
            prepare = PrepareScans(folder, [reference, *others], self.brain_mask)
            item: dict[Hashable, Any] = {"patient": name_without_suffix(Path(image))}
            item |= {sequence: str(path) for sequence, path in case.items()}
            loaded = self.load(dict(data) | prepare(item))
        return {**loaded, "reference": loaded[reference].clone()}

    def _case_of(self, image: Path, folder: Path) -> dict[str, Path]:
        """Find the sequences of an image's patient, the reference first."""
        sequence = sequence_by_name(name_without_suffix(image))
        if sequence is None:
            stack = read_volume_stack(image)
            if len(stack) == len(self.sequences):
                return self._unstack(stack, folder)
            logger.warning("%s: its name says no sequence; it is taken for the DWI", image.name)
            return {"dwi": image}
        if sequence not in self.sequences:
            raise InputError(
                f"{image.name} is {sequence.upper()} by its name; {', '.join(self.sequences)} are segmented"
            )
        return {sequence: image} | _beside(image)

    def _unstack(self, stack: VolumeStack, folder: Path) -> dict[str, Path]:
        """Write the volumes of a file, each a sequence of its own, without those of zeros."""
        volumes = {sequence: stack.volume(index) for index, sequence in enumerate(self.sequences)}
        present = [sequence for sequence in self.reference_order if volumes[sequence].array.any()]
        if not present:
            raise InputError(f"{stack.path.name} holds nothing but zeros")
        for sequence in present:
            volume = volumes[sequence]
            write_image(folder / f"{sequence}.nii.gz", image_of(volume.array, volume.affine, stack.path.name))
        return {sequence: folder / f"{sequence}.nii.gz" for sequence in present}


def _beside(image: Path) -> dict[str, Path]:
    """Find a patient's other sequences in the folder of one of them, where the files' names say whose they are."""
    try:
        cases = cases_in_files(image.parent)
    except InputError as unclear:
        logger.warning("%s is segmented by itself: %s", image.name, unclear)
        return {}
    of_patient = next((case.sequences for case in cases if image in case.sequences.values()), {})
    return {sequence: path for sequence, path in of_patient.items() if path != image}
