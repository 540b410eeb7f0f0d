import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from islesnet.data import REFERENCE_ORDER, SEQUENCES, Case
from islesnet.errors import InputError
from islesnet.volumes.file_names import subject_of


@pytest.mark.parametrize(
    ("present", "reference"),
    [(("t1", "t2", "flair", "dwi"), "dwi"), (("t1", "t2", "flair"), "flair"), (("t1", "t2"), "t2"), (("t1",), "t1")],
)
def test_reference_is_the_first_present(present, reference):
    assert Case("1", {name: Path(name) for name in present}).reference == reference
    assert set(REFERENCE_ORDER) == set(SEQUENCES)


def test_item_holds_only_what_is_present_as_absolute_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    item = Case("7", {"flair": Path("a b.nii")}, Path("label.nii")).item()
    assert item == {"patient": "7", "flair": str(tmp_path / "a b.nii"), "label": str(tmp_path / "label.nii")}


def test_case_survives_pickling_for_data_loaders():
    case = Case("1", {"t1": Path("t1.nii"), "dwi": Path("dwi.nii")})
    assert pickle.loads(pickle.dumps(case)) == case
    assert list(case.sequences) == ["dwi", "t1"]


@pytest.mark.parametrize("patient", ["", " ", "..", "a/b", "a\\b", "a\nb"])
def test_name_that_cannot_be_part_of_a_file_name_is_refused(patient):
    with pytest.raises(InputError, match="becomes part of file names"):
        Case(patient, {"dwi": Path("dwi.nii")})


@pytest.mark.parametrize("patient", ["Jörg 7", "odd\xa0space", "$(x)", "100%", "a'b\"c"])
def test_odd_but_legal_names_are_kept(patient):
    assert Case(patient, {"dwi": Path("dwi.nii")}).item()["patient"] == patient


def test_case_without_known_sequence_is_refused():
    with pytest.raises(InputError, match="at least one of dwi, t1, t2, flair"):
        Case("1", {})
    with pytest.raises(InputError, match="unknown sequence 'adc'"):
        Case("1", {"adc": Path("adc.nii")})


def test_sessions_belong_to_one_subject():
    assert subject_of("sub-01_ses-2") == subject_of("sub-01_ses-1") == "sub-01"
    assert subject_of("patient 7") == "patient 7"


def test_importing_the_package_loads_no_heavy_library():
    heavy = "{'torch', 'monai', 'SimpleITK', 'nibabel', 'pandas'}"
    code = f"import sys, islesnet.data; sys.exit(str({heavy} & set(sys.modules) or ''))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stderr.strip() == ""
