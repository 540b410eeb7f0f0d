"""Preprocessed patients on disk: found again, whole or not at all, made again where they cannot be read."""

import logging
import os
import pickle
import time

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Lambdad, RandFlipd

from islesnet.data import cache
from islesnet.data.cache import CachedPatients

AFFINE = torch.diag(torch.tensor([2.0, 2.0, 5.0, 1.0], dtype=torch.float64))
PATIENTS = [{"patient": "anna", "image": 1.0}, {"patient": "bert", "image": 2.0}]


class Prepare:
    """Makes an image of a number, and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, value):
        self.times += 1
        return MetaTensor(torch.full((1, 40, 40, 4), value), affine=AFFINE)

    def __getstate__(self):  # what is kept does not depend on it
        return {}


@pytest.fixture
def prepare():
    return Prepare()


@pytest.fixture
def patients(prepare, tmp_path):
    steps = [Lambdad(keys="image", func=prepare, track_meta=False), RandFlipd(keys="image", prob=0.0)]
    return CachedPatients(PATIENTS, Compose(steps), tmp_path / "cache")


def files(folder):
    return sorted(path.name for path in (folder / "cache").iterdir())


def test_patient_is_prepared_once_and_read_again_with_its_grid(patients, prepare, tmp_path):
    for _ in range(3):
        for patient, item in zip(PATIENTS, patients, strict=True):
            assert float(item["image"].mean()) == patient["image"]
            assert torch.equal(item["image"].affine, AFFINE)

    assert prepare.times == 2
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["half", "nothing", "text", "a class that is gone"])
def test_file_that_cannot_be_read_is_made_again_with_a_warning(damage, patients, prepare, tmp_path, caplog):
    before = patients[0]["image"].mean()
    (name,) = files(tmp_path)
    file = tmp_path / "cache" / name
    whole = file.read_bytes()
    contents = {
        "half": whole[: len(whole) // 2],
        "nothing": b"",
        "text": b"no space left on device",
        "a class that is gone": pickle.dumps(PATIENTS).replace(b"anna", b"a\x81na"),
    }
    file.write_bytes(contents[damage])

    with caplog.at_level(logging.WARNING):
        again = [patients[0]["image"].mean() for _ in range(2)]

    assert again == [before, before]
    assert prepare.times == 2
    (said,) = caplog.messages
    assert name in said and "is made again" in said
    assert torch.load(file, weights_only=False)["patient"] == "anna"


def test_no_process_ever_sees_a_file_that_is_being_written(patients, tmp_path, monkeypatch):
    seen, save = [], torch.save

    def look(content, file):
        save(content, file)
        seen.extend(files(tmp_path))

    monkeypatch.setattr(cache.torch, "save", look)
    patients[0]

    (being_written,) = seen  # beside its place, so that its move there is a single step
    (name,) = files(tmp_path)
    assert being_written.startswith(".part.") and being_written.endswith(name)


def test_training_that_is_interrupted_while_it_writes_leaves_no_file(patients, prepare, tmp_path, monkeypatch):
    def stop(content, file):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as meanwhile, pytest.raises(KeyboardInterrupt):
        meanwhile.setattr(cache.torch, "save", stop)
        patients[0]

    assert files(tmp_path) == []
    assert float(patients[0]["image"].mean()) == 1.0


@pytest.mark.parametrize(("hours", "is_removed"), [(25, True), (23, False)])
def test_half_written_file_of_a_killed_process_is_removed_a_day_later(hours, is_removed, patients, tmp_path):
    patients[0]
    (whole,) = files(tmp_path)
    part = tmp_path / "cache" / f".part.x1y2.{whole}"
    part.write_bytes(b"half")
    for file in (part, tmp_path / "cache" / whole):
        os.utime(file, (time.time() - hours * 3600,) * 2)

    CachedPatients(PATIENTS, patients.transform, tmp_path / "cache")

    assert files(tmp_path) == ([whole] if is_removed else [part.name, whole])


def test_cache_may_be_removed_at_any_time(patients, prepare, tmp_path):
    patients[0]
    (tmp_path / "cache" / files(tmp_path)[0]).unlink()
    (tmp_path / "cache").rmdir()

    assert float(patients[0]["image"].mean()) == 1.0
    assert len(files(tmp_path)) == 1


def test_cache_on_a_full_disk_is_named(patients, tmp_path, monkeypatch):
    def refuse(content, file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.torch, "save", refuse)

    with pytest.raises(OSError, match=rf"No space left on device: '{tmp_path}/cache/\w+\.pt'"):
        patients[0]
