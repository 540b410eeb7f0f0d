from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, make_patient, patient_seed, write_dataset, write_patient


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.nii"))}


def test_layout_and_ids_are_those_of_siss(tmp_path, coarse):
    folders = write_dataset(tmp_path / "cohort", patients=2, settings=coarse, workers=1)

    assert folders == [tmp_path / "cohort" / "1", tmp_path / "cohort" / "2"]
    assert sorted(contents(tmp_path / "cohort" / "1")) == [
        "VSD.Brain.XX.O.MR_DWI.70613/VSD.Brain.XX.O.MR_DWI.70613.nii",
        "VSD.Brain.XX.O.MR_Flair.70614/VSD.Brain.XX.O.MR_Flair.70614.nii",
        "VSD.Brain.XX.O.MR_T1.70615/VSD.Brain.XX.O.MR_T1.70615.nii",
        "VSD.Brain.XX.O.MR_T2.70616/VSD.Brain.XX.O.MR_T2.70616.nii",
        "VSD.Brain.XX.O.OT.70617/VSD.Brain.XX.O.OT.70617.nii",
    ]
    assert "VSD.Brain.XX.O.MR_DWI.70618" in {path.name for path in folders[1].iterdir()}


def test_files_hold_the_phantom_of_that_number(tmp_path, coarse):
    (folder,) = write_dataset(tmp_path, patients=1, seed=4, settings=coarse, workers=1, first=3)

    phantom = make_patient(patient_seed(4, 3), coarse)
    dwi, truth = (nib.load(next(folder.glob(f"*/*{name}*.nii"))) for name in ("MR_DWI", ".OT."))
    assert folder.name == "3"
    assert dwi.get_data_dtype() == np.int16 and truth.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(dwi.get_fdata(), phantom.images["dwi"])
    np.testing.assert_array_equal(truth.get_fdata(), phantom.label)
    np.testing.assert_allclose(dwi.affine, phantom.affine)
    assert nib.aff2axcodes(dwi.affine) == ("R", "A", "S")
    assert (int(dwi.header["qform_code"]), int(dwi.header["sform_code"])) == (1, 1)


def test_every_file_says_that_the_patient_is_synthetic(tmp_path, coarse):
    write_dataset(tmp_path / "cohort", patients=1, settings=coarse, workers=1)
    write_patient(tmp_path / "anna", make_patient(0, coarse), with_label=True)

    files = [*tmp_path.rglob("*.nii"), *tmp_path.rglob("*.nii.gz")]
    assert len(files) == 10
    for file in files:
        assert nib.load(file).header["descrip"].item() == b"PHANTOM, islesnet, research use only"


def test_one_worker_and_two_write_the_same_bytes(tmp_path, coarse):
    write_dataset(tmp_path / "one", patients=3, settings=coarse, workers=1)
    write_dataset(tmp_path / "two", patients=3, settings=coarse, workers=2)

    one = contents(tmp_path / "one")
    assert len(one) == 15
    assert one == contents(tmp_path / "two")


def test_cohort_can_be_extended_later(tmp_path, coarse):
    write_dataset(tmp_path / "whole", patients=2, settings=coarse, workers=1)
    write_dataset(tmp_path / "parts", patients=1, settings=coarse, workers=1)
    write_dataset(tmp_path / "parts", patients=1, settings=coarse, workers=1, first=2)

    assert contents(tmp_path / "whole") == contents(tmp_path / "parts")


def test_other_seeds_and_numbers_make_other_patients():
    assert len({patient_seed(seed, number) for seed in range(10) for number in range(1, 10)}) == 90


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_every_patient(tmp_path, coarse, workers):
    calls = []

    write_dataset(
        tmp_path, 2, settings=coarse, workers=workers, progress=lambda done, total: calls.append((done, total))
    )

    assert calls == [(1, 2), (2, 2)]


def test_existing_patient_is_refused_before_anything_is_written(tmp_path, coarse):
    (tmp_path / "2").mkdir()

    with pytest.raises(InputError, match=r"2: exists already; remove it, or choose another folder"):
        write_dataset(tmp_path, patients=2, settings=coarse, workers=1)

    assert [path.name for path in tmp_path.iterdir()] == ["2"]


@pytest.mark.parametrize("workers", [1, 2])
def test_failure_names_its_cause_and_leaves_nothing_half_written(tmp_path, mask_folder, workers):
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), dtype=np.uint8), np.eye(4)), mask_folder / "empty.nii")
    settings = PhantomSettings(spacing_mm=5.0, lesion_masks=mask_folder)

    with pytest.raises(InputError, match="none of 1 files drawn"):
        write_dataset(tmp_path / "cohort", patients=3, settings=settings, workers=workers)

    assert list((tmp_path / "cohort").iterdir()) == []


def test_interrupted_patient_leaves_no_folder(tmp_path, coarse, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    phantom = make_patient(0, coarse)
    monkeypatch.setattr("islesnet.phantom.dataset.nib.save", fail)

    with pytest.raises(OSError, match="disk full"):
        write_patient(tmp_path / "anna", phantom)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patients": 0}, "patients is 0: it is 1 or more"),
        ({"patients": 1, "first": 0}, "first is 0: it is 1 or more"),
        ({"patients": 1, "seed": -1}, "seed is -1: it is 0 or more"),
        ({"patients": 1, "workers": 0}, "workers is 0: it is 1 or more, or None for every core"),
    ],
)
def test_number_out_of_range_is_refused_by_name(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        write_dataset(tmp_path, **arguments)


def test_missing_mask_folder_is_refused_before_anything_is_written(tmp_path):
    settings = PhantomSettings(lesion_masks=tmp_path / "nowhere")

    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        write_dataset(tmp_path / "cohort", patients=1, settings=settings)

    assert not (tmp_path / "cohort").exists()


def test_new_patient_comes_without_the_truth_unless_asked(tmp_path, coarse):
    phantom = make_patient(0, coarse)

    blind = write_patient(tmp_path / "clinic" / "anna", phantom)
    known = write_patient(tmp_path / "clinic" / "bert", phantom, with_label=True)

    names = {"dwi.nii.gz", "t1.nii.gz", "t2.nii.gz", "flair.nii.gz"}
    assert {file.name for file in blind.iterdir()} == names
    assert {file.name for file in known.iterdir()} == names | {"label.nii.gz"}
    np.testing.assert_array_equal(nib.load(blind / "flair.nii.gz").get_fdata(), phantom.images["flair"])
    with pytest.raises(InputError, match="anna: exists already"):
        write_patient(blind, phantom)
