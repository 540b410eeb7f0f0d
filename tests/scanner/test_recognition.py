"""Which sequence a volume is, by the names that scanners, converters and people give."""

import json

import pytest

from islesnet.scanner import read_patient
from tests.scanner.test_volume_files import save, values


def test_patients_code_is_no_b_value(tmp_path):
    for seed, name in enumerate(("B1234_FLAIR", "B1234_T1", "B1000_T2", "case/B123_DWI")):
        save(tmp_path / f"{name}.nii.gz", values(seed=seed))
    patient = read_patient(tmp_path)
    assert {role: raw.source for role, raw in patient.images.items()} == {
        "dwi": "case/B123_DWI.nii.gz",
        "flair": "B1234_FLAIR.nii.gz",
        "t1": "B1234_T1.nii.gz",
        "t2": "B1000_T2.nii.gz",
    }
    assert patient.images["dwi"].b_value is None


@pytest.mark.parametrize("name", ["b1000", "patient_b1000", "p_b-1000", "p_b=1000", "1000b", "B1234_DWI_b1000"])
def test_b_value_of_a_name_is_believed_where_nothing_says_otherwise(tmp_path, name):
    save(tmp_path / f"{name}.nii.gz")
    assert read_patient(tmp_path).images["dwi"].b_value == 1000


@pytest.mark.parametrize("name", ["b0", "p_b0", "b=0", "dwi_b0"])
def test_b0_of_a_name_is_the_dwis(tmp_path, name):
    save(tmp_path / "dwi_b1000.nii.gz")
    save(tmp_path / f"{name}.nii.gz", values(seed=1))
    assert set(read_patient(tmp_path).images) == {"dwi", "b0", "adc"}


@pytest.mark.parametrize("name", ["B1000", "B1234", "B0500"])
def test_timing_tells_more_than_a_code_that_could_be_a_b_value(tmp_path, name):
    save(tmp_path / f"{name}.nii.gz")
    said = {"EchoTime": 0.003, "RepetitionTime": 2.3, "InversionTime": 0.9, "ScanningSequence": "GR_IR"}
    (tmp_path / f"{name}.json").write_text(json.dumps(said))
    assert set(read_patient(tmp_path).images) == {"t1"}


def test_b_value_beside_adc_is_what_the_map_was_made_from(tmp_path):
    save(tmp_path / "dwi_b1000.nii.gz")
    save(tmp_path / "adc_b1000.nii.gz", values(seed=1))
    assert set(read_patient(tmp_path).images) == {"dwi", "adc"}
