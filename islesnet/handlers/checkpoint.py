"""Checkpoints that a killed process cannot spoil."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.handlers.checkpoint import BaseSaveHandler
from monai.handlers import CheckpointSaver

from islesnet.networks.weight_files import checksum_of, save_tensors


class WholeCheckpointSaver(CheckpointSaver):
    """MONAI's CheckpointSaver for the best weights, whose file appears whole or not at all.

    MONAI removes the previous best file before it writes the next one in place: a process killed in between leaves no
    weights at all.

    Args:
        save_dir: folder of the file.
        save_dict: what to save; a single entry is saved as its plain state dict, which every client can load.
        filename: the file's name; the better weights replace the earlier ones.
    """

    def __init__(self, save_dir: str, save_dict: dict[str, Any], filename: str = "model.pt") -> None:
        super().__init__(save_dir, save_dict, save_key_metric=True, key_metric_filename=filename)
        self.path = Path(save_dir) / filename
        self._key_metric_checkpoint.save_handler = _WholeFile(self.path)

    def continue_from(self, best_metric: float) -> None:
        """Save from now on only what is better than ``best_metric``: a resumed training's best so far."""
        self.load_state_dict({"_saved": [(best_metric, "best before resuming")]})


class _WholeFile(BaseSaveHandler):
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, checkpoint: Mapping[str, Any], filename: str, metadata: Mapping[str, Any] | None = None) -> None:
        # Every process has the handler, or gathering their metrics would hang; one writes.
        if idist.get_rank() == 0:
            checksum_of(self.path).unlink(missing_ok=True)  # of the weights that were there before
            save_tensors(checkpoint, self.path)

    def remove(self, filename: str) -> None:
        """Keep the earlier file: it is replaced once the next is whole."""
