"""Transforms of tensors alone, without the record that MONAI keeps of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from monai.data.meta_obj import get_track_meta, set_track_meta
from monai.transforms import Compose


class WithoutMeta(Compose):
    """A Compose whose transforms make plain tensors in place of MetaTensors, whose bookkeeping takes time.

    For augmentation, which nobody inverts. Its first transform makes the tensors plain: `EnsureTyped` with
    ``track_meta=False``. MONAI's switch holds for the whole process, so transforms in other threads lose their
    record for that time.

    Args:
        transforms: as of MONAI's Compose.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply them in turn with MONAI's tracking of metadata switched off; at the end it is as it was before."""
        with _untracked():
            return super().__call__(*args, **kwargs)


@contextmanager
def _untracked() -> Iterator[None]:
    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)
