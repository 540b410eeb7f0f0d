import nibabel
import pytest

from islesnet.data import find_cases
from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, write_dataset
from workflows.datasets import open_patients, write_split

SETTINGS = PhantomSettings(spacing_mm=8.0, volume_ml=(20.0, 80.0))


@pytest.fixture
def siss(tmp_path):
    write_dataset(tmp_path / "SISS2015_Training", 2, settings=SETTINGS, workers=1)
    return tmp_path / "SISS2015_Training"


def open_folder(folder, tmp_path):
    return open_patients(str(folder), tmp_path / "out", 1.0, 28, 0)


def test_folder_of_phantoms_is_known_as_one_by_its_files(siss, tmp_path):
    patients = open_folder(siss, tmp_path)

    assert patients.stamps == ("PHANTOM",)
    assert patients.name == "synthetic patients"
    assert not patients.is_siss


def test_files_of_siss_without_a_stamp_are_those_of_siss(siss, tmp_path):
    for case in find_cases(siss):
        for path in case.files.values():
            scan = nibabel.load(path, mmap=False)
            scan.header["descrip"] = b""
            nibabel.save(scan, path)

    patients = open_folder(siss, tmp_path)

    assert patients.stamps == ()
    assert patients.name == "patients of SISS2015_Training"
    assert patients.is_siss


def test_phantoms_made_for_the_workflow_are_stamped_and_made_once(tmp_path):
    first = open_patients("phantom", tmp_path, 8.0, 1, 0)
    made = first.cases[0].sequences["dwi"].stat().st_mtime_ns

    second = open_patients("phantom", tmp_path, 8.0, 1, 0)

    assert first.stamps == second.stamps == ("PHANTOM",)
    assert second.cases[0].sequences["dwi"].stat().st_mtime_ns == made


def test_folder_without_a_label_is_refused(tmp_path):
    write_dataset(tmp_path / "blind", 1, settings=SETTINGS, workers=1)
    for path in (tmp_path / "blind").rglob("*.OT.*.nii"):
        path.unlink()

    with pytest.raises(InputError, match="no patient has a label"):
        open_folder(tmp_path / "blind", tmp_path)


def test_split_that_bears_other_stamps_is_refused(siss, tmp_path):
    patients = open_folder(siss, tmp_path)
    sections = {"training": patients.cases[:1], "validation": [], "test": patients.cases[1:]}
    write_split(tmp_path / "datalist.json", sections, patients, {"stamps": ["PHANTOM", "QUICK"]})

    write_split(tmp_path / "datalist.json", sections, patients, {"stamps": ["PHANTOM", "QUICK"]})
    with pytest.raises(InputError, match=r"was begun with the stamps \['PHANTOM', 'QUICK'\]"):
        write_split(tmp_path / "datalist.json", sections, patients, {"stamps": ["PHANTOM"]})
