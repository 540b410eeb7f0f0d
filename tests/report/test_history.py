import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter

from islesnet.errors import InputError
from islesnet.report import read_history

STEPS = 3


def train(folder, epochs, dice=0.5, loss=1.0, suffix=""):
    """Write what a training writes: the rate first, a loss a step, then the validation."""
    with SummaryWriter(folder, filename_suffix=suffix) as writer:
        for epoch in epochs:
            writer.add_scalar("learning_rate", 0.1 / epoch, epoch)
            for step in range((epoch - 1) * STEPS + 1, epoch * STEPS + 1):
                writer.add_scalar("loss", loss * step, step)
            writer.add_scalar("val_mean_dice", dice + epoch / 100, epoch)
            writer.add_image("outlines/1", np.zeros((3, 4, 4)), epoch)


def test_history_has_a_row_an_epoch_and_the_loss_is_the_mean_over_its_steps(tmp_path):
    train(tmp_path, range(1, 4))
    history = read_history(tmp_path)
    assert history.index.tolist() == [1, 2, 3]
    assert history.index.name == "epoch"
    assert list(history) == ["loss", "learning_rate", "val_mean_dice"]
    assert history["loss"].tolist() == [2.0, 5.0, 8.0]
    assert history["val_mean_dice"].tolist() == pytest.approx([0.51, 0.52, 0.53])


def test_later_file_of_a_resumed_training_wins(tmp_path):
    train(tmp_path, range(1, 4), dice=0.1, suffix=".first")
    train(tmp_path, range(3, 6), dice=0.7, loss=10.0, suffix=".second")
    history = read_history(tmp_path)
    assert history["val_mean_dice"].tolist() == pytest.approx([0.11, 0.12, 0.73, 0.74, 0.75])
    assert history["loss"].tolist() == pytest.approx([2, 5, 80, 110, 140])


def test_order_of_the_files_is_that_of_their_beginning_not_of_their_names(tmp_path):
    train(tmp_path, [1], dice=0.1, suffix=".z")
    train(tmp_path, [1], dice=0.7, suffix=".a")
    (first, second) = sorted(tmp_path.glob("events*"), key=lambda path: path.name.endswith(".a"))
    first.rename(tmp_path / "events.out.tfevents.2")
    second.rename(tmp_path / "events.out.tfevents.1")
    assert read_history(tmp_path)["val_mean_dice"].tolist() == pytest.approx([0.71])


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_half_written_record_ends_its_file(tmp_path, cut):
    train(tmp_path, range(1, 4))
    (path,) = tmp_path.glob("events*")
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_history(tmp_path)["val_mean_dice"].tolist() == pytest.approx([0.51, 0.52, 0.53])


def test_garbage_is_not_read_on(tmp_path):
    train(tmp_path, [1])
    (path,) = tmp_path.glob("events*")
    with path.open("ab") as file:
        file.write((8).to_bytes(8, "little") + b"\xff" * 100)
    assert read_history(tmp_path).index.tolist() == [1]


def test_epochs_without_validation_have_none(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for epoch in (1, 2, 3):
            writer.add_scalar("learning_rate", 0.1, epoch)
        writer.add_scalar("val_accuracy", 0.99, 3)
    history = read_history(tmp_path)
    assert history["val_accuracy"].isna().tolist() == [True, True, False]
    assert "loss" not in history


def test_file_that_is_empty_yet_has_no_epochs(tmp_path):
    (tmp_path / "events.out.tfevents.1").touch()
    assert read_history(tmp_path).empty


def test_folder_without_event_files_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path} holds no event files of TensorBoard"):
        read_history(tmp_path)
