"""Preprocessed patients kept on disk, for a training that comes by each of them again and again."""

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from monai.data import PersistentDataset
from monai.data.utils import pickle_hashing
from monai.utils import convert_to_tensor

from islesnet.files import remove_parts, whole_file

logger = logging.getLogger(__name__)

_DAY_S = 24 * 3600.0


class CachedPatients(PersistentDataset):
    """MONAI's PersistentDataset, whose files several processes and several trainings may ask for at the same time.

    A patient's file appears in the cache whole or not at all. MONAI moves it there from the folder for temporary
    files: across file systems that is a copy, which others read half done, and which a kill leaves so. A file that
    cannot be read for all that (a full disk's, an older version's) is made again, with a warning. What a killed
    process left half written is removed a day later, when no other training can be writing it still.

    Args:
        data: the patients, items that can be pickled: what is kept is found again by them.
        transform: a Compose; what comes before its first random transform is kept. Other transforms, or settings of
            theirs, make other files.
        cache_dir: where the files go; made where absent, now and if it is removed meanwhile.
    """

    def __init__(self, data: Sequence[Any], transform: Callable[..., Any], cache_dir: str | Path) -> None:
        # Without track_meta an item that is read again has lost its grid; with weights_only none would be read again.
        super().__init__(data, transform, cache_dir, hash_transform=pickle_hashing, track_meta=True, weights_only=False)
        self.folder = Path(cache_dir)
        remove_parts(self.folder, least_age_s=_DAY_S)

    def _cachecheck(self, item_transformed: Any) -> Any:
        """Give a patient as kept, or made and then kept, in place of MONAI's method of this name."""
        file = self.folder / f"{self.hash_func(item_transformed).decode()}{self.transform_hash}.pt"
        if (kept := self._read(file)) is not None:
            return kept
        prepared = self._pre_transform(deepcopy(item_transformed))
        kept = convert_to_tensor(prepared, convert_numeric=False, track_meta=self.track_meta)
        with whole_file(file) as part, part.open("wb") as opened:
            torch.save(kept, opened)
        return prepared

    def _read(self, file: Path) -> Any:
        """Read what is kept in a file; None where there is none, or what is there cannot be read."""
        try:
            opened = file.open("rb")
        except FileNotFoundError:
            return None
        with opened:
            try:
                return torch.load(opened, weights_only=self.weights_only)
            except Exception as error:  # half a file can make it raise anything, an OSError that names no file too
                logger.warning("%s cannot be read (%s), and is made again.", file, type(error).__name__)
                return None
