"""The curves of a training, read back from TensorBoard's event files, without TensorFlow."""

import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]

from islesnet.errors import InputError

EVENT_FILES = "events.out.tfevents.*"
# Written once at the beginning of every epoch, so it says to which epoch the steps that follow belong.
_EPOCH_TAG = "learning_rate"
# Written at every step.
_STEP_TAG = "loss"
_HEADER_BYTES, _CHECKSUM_BYTES = 12, 4


def read_history(tensorboard_dir: Path) -> pd.DataFrame:
    """Read what a training wrote at every epoch, and its loss as the mean over the epoch's steps.

    A training that was interrupted and resumed leaves several files; where two of them hold the same epoch or step, the
    later one counts. A record that a killed process left half written is taken for the end of its file.

    Args:
        tensorboard_dir: the training's folder of event files.

    Returns:
        A row an epoch (the index), a column a tag: loss, learning_rate, val_mean_dice, ...; NaN where an epoch lacks
        it, e.g. where not every epoch was validated.

    Raises:
        InputError: there is no event file.
    """
    files = [path for path in tensorboard_dir.rglob(EVENT_FILES) if path.is_file()]
    if not files:
        raise InputError(
            f"{tensorboard_dir} holds no event files of TensorBoard ({EVENT_FILES}); is it the right folder?"
        )
    by_tag: dict[str, dict[int, float]] = defaultdict(dict)
    losses: dict[int, tuple[int, float]] = {}
    for path in sorted(files, key=_began):
        epoch = None
        for tag, step, value in _scalars(path):
            if tag == _EPOCH_TAG:
                epoch = step
            if tag != _STEP_TAG:
                by_tag[tag][step] = value
            elif epoch is not None:
                losses[step] = (epoch, value)
    columns = {tag: pd.Series(values, dtype=float) for tag, values in by_tag.items()}
    if losses:
        steps = pd.DataFrame(list(losses.values()), columns=["epoch", "loss"])
        columns = {_STEP_TAG: steps.groupby("epoch")["loss"].mean(), **columns}
    return pd.DataFrame(columns).sort_index().rename_axis("epoch")


def _began(path: Path) -> tuple[float, str]:
    first = next(_events(path), None)
    return (first.wall_time if first is not None else 0.0, path.name)


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    for event in _events(path):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                yield value.tag, event.step, value.simple_value


def _events(path: Path) -> Iterator[Event]:
    # TFRecord: length (8 bytes), its checksum (4), the event, its checksum (4).
    with path.open("rb") as file:
        while len(header := file.read(_HEADER_BYTES)) == _HEADER_BYTES:
            (length,) = struct.unpack_from("<Q", header)
            record = file.read(length)
            if len(record) < length or len(file.read(_CHECKSUM_BYTES)) < _CHECKSUM_BYTES:
                return
            try:
                yield Event.FromString(record)
            except DecodeError:
                return
