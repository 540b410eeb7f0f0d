"""Which sequence a volume is, by the names that scanners, converters and people give."""

import json

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.scanner import read_patient, sequence_by_name
from tests.scanner.made_dicom import classic, enhanced, head, tags_of
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


def test_adc_map_with_a_b_value_beside_it_is_no_dwi(tmp_path):
    for seed, (name, b_value) in enumerate((("dwi_b800", ""), ("adc", "1000"), ("flair", ""))):
        save(tmp_path / f"{name}.nii.gz", values(seed=seed))
        if b_value:
            (tmp_path / f"{name}.bval").write_text(b_value)
    sources = {role: raw.source for role, raw in read_patient(tmp_path).images.items()}
    assert sources == {"dwi": "dwi_b800.nii.gz", "adc": "adc.nii.gz", "flair": "flair.nii.gz"}


@pytest.mark.parametrize("patient", ["d", "A", "fl"])
def test_short_name_of_a_patient_takes_no_letter_from_the_files_names(tmp_path, patient):
    (tmp_path / patient).mkdir()
    for seed, name in enumerate(("dwi", "adc", "flair")):
        save(tmp_path / patient / f"{name}.nii.gz", values(seed=seed))
    assert set(read_patient(tmp_path / patient).images) == {"dwi", "adc", "flair"}


AFTER_CONTRAST_MEDIUM = [
    *("t1_mprage_sag_KM", "AX T1 +C", "+C AX T1", "AX T1 C+ FS", "T1_C", "T1 K", "t1-c", "T1 GADO", "T1 inj", "T1 mdc"),
    *("T1CE", "t1c", "t1gd", "T1wCE", "T1post", "T1 POST GD NO FS", "T1 pre/post gd", "mprage_km", "SAG MPRAGE+C"),
]
PLAIN = [
    *("T1 pre", "T1 pre contrast", "T1 nativ", "T1 native", "T1 without contrast", "T1 without IV contrast"),
    *(
        "T1 W/O GD",
        "T1 ohne KM",
        "T1 vor KM",
        "T1 sans injection",
        "T1 C-",
        "AX T1 -C",
        "T1 FS",
        "t1_mprage_sag_p2_iso",
    ),
    "T1 no contrast",
]


@pytest.mark.parametrize("name", AFTER_CONTRAST_MEDIUM)
def test_t1_with_contrast_medium_is_none_by_name_or_by_timing(tmp_path, name):
    classic(tmp_path / "1", SeriesDescription=name, **tags_of("t1"))
    classic(tmp_path / "2", number=2, **tags_of("t2"))
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t2"}
    assert any(choice.why == "a T1 with contrast medium is not taken for a T1" for choice in patient.choices)
    assert sequence_by_name(name) is None


@pytest.mark.parametrize("name", PLAIN)
def test_plain_t1_is_one(tmp_path, name):
    classic(tmp_path, SeriesDescription=name, **tags_of("t1"))
    assert set(read_patient(tmp_path).images) == {"t1"}
    assert sequence_by_name(name) == "t1"


def test_folder_says_that_a_medium_was_given(tmp_path):
    save(tmp_path / "T1_post" / "T1.nii.gz", values(seed=1))
    save(tmp_path / "post" / "T1.nii.gz")
    assert read_patient(tmp_path).images["t1"].source == "post/T1.nii.gz"


@pytest.mark.parametrize(
    ("tags", "role"),
    [
        ({}, "t1"),
        ({"SeriesDescription": "post gd"}, None),
        ({"ContrastBolusAgentSequence": [Dataset()]}, None),
        ({"ContrastBolusAgentSequence": []}, "t1"),
        ({"ContrastBolusAgentSequence": [Dataset()], "ContrastBolusAgentAdministered": "NO"}, "t1"),
        ({"ContrastBolusAgentAdministered": "YES"}, None),
        ({"ContrastBolusAgent": "GADOVIST"}, None),
        ({"ContrastBolusAgent": "keine"}, "t1"),
    ],
)
def test_enhanced_file_says_whether_a_medium_was_given(tmp_path, tags, role):
    enhanced(tmp_path / "t1.dcm", [(0, "NONE", None, head())], AcquisitionContrast="T1", **tags)
    if role:
        assert set(read_patient(tmp_path).images) == {role}
    else:
        with pytest.raises(InputError, match="a T1 with contrast medium"):
            read_patient(tmp_path)


def spin_echo(**tags):
    return {"ScanningSequence": ["SE", "IR"], "EchoTime": 90, "RepetitionTime": 6000, **tags}


@pytest.mark.parametrize(
    ("description", "inversion", "role"),
    [
        ("t2_spc_da-fl_irprep_sag_p2_iso", 1800, "flair"),
        ("t2_spc_da-fl_irprep_sag_p2_iso", None, "flair"),
        ("t2_tirm_tra_dark-fl", 2500, "flair"),
        ("t2_spc_ir_sag", 1800, "flair"),
        ("t2_spc_ir_sag", 220, None),
        ("t2_tirm_cor_fs", 220, None),
        ("orbit", 160, None),
        ("T2 FLAIR", 2250, "flair"),
        ("t2_tse_tra", None, "t2"),
        ("t2_tse_tra", 0, "t2"),
    ],
)
def test_inversion_time_parts_flair_t2_and_stir(tmp_path, description, inversion, role):
    inversions = {} if inversion is None else {"InversionTime": inversion}
    classic(tmp_path / "1", SeriesDescription=description, **spin_echo(**inversions))
    classic(tmp_path / "2", number=2, **tags_of("t1"))
    assert set(read_patient(tmp_path).images) == {"t1", role} - {None}


def test_inversion_time_of_fat_saturated_t2_without_inversion_says_nothing(tmp_path):
    classic(tmp_path, SeriesDescription="T2 SPAIR", **spin_echo(ScanningSequence="SE", InversionTime=160))
    assert set(read_patient(tmp_path).images) == {"t2"}


@pytest.mark.parametrize(("description", "inversion"), [("FLAIR", 2500.0), ("sag", 2500.0), ("FLAIR", 0.0)])
def test_flair_whose_acquisition_contrast_is_t2_is_a_flair(tmp_path, description, inversion):
    tags = {"AcquisitionContrast": "T2", "SeriesDescription": description, "InversionTimes": [inversion]}
    enhanced(tmp_path / "flair.dcm", [(0, "NONE", None, head())], **tags)
    assert set(read_patient(tmp_path).images) == {"flair"}


@pytest.mark.parametrize("tags", [{"ProtocolName": "ep2d_diff_ADC"}, {"SeriesDescription": "DWI_ADC"}])
def test_trace_whose_protocol_names_an_adc_too_is_the_dwi(tmp_path, tags):
    tags |= {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"], "SeriesInstanceUID": generate_uid()}
    for b_value in (0, 1000):
        classic(tmp_path / str(b_value), head(scale=3000 - 2 * b_value), DiffusionBValue=float(b_value), **tags)
    kind = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]
    classic(tmp_path / "adc", number=2, **{**tags, "ImageType": kind, "SeriesInstanceUID": generate_uid()})

    patient = read_patient(tmp_path)

    sources = {role: raw.source for role, raw in patient.images.items()}
    assert set(sources) == {"dwi", "b0", "adc"}
    assert sources["dwi"].endswith("b = 1000") and sources["adc"].startswith("series 2")


def test_adc_that_was_computed_later_is_one_though_it_has_a_b_value(tmp_path):
    classic(tmp_path / "dwi", DiffusionBValue=1000.0)
    tags = {"ImageType": ["DERIVED", "SECONDARY", "PROCESSED"], "DiffusionBValue": 1000.0}
    classic(tmp_path / "adc", number=2, SeriesDescription="Apparent Diffusion Coefficient", **tags)
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source.startswith("series 1") and patient.images["adc"].source.startswith("series 2")


def test_b_value_beside_a_single_volume_is_read(tmp_path):
    for name, b_value in (("dwi_1", 0), ("dwi_2", 1000)):
        save(tmp_path / f"{name}.nii.gz", values() * (3 if b_value == 0 else 1))
        (tmp_path / f"{name}.bval").write_text(f"{b_value}\n")
    patient = read_patient(tmp_path)
    sources = {role: raw.source for role, raw in patient.images.items() if role != "adc"}
    assert sources == {"dwi": "dwi_2.nii.gz", "b0": "dwi_1.nii.gz"}
    assert patient.images["dwi"].b_value == 1000


def test_trace_by_its_sidecar_wins_over_a_direction(tmp_path):
    for seed, name in enumerate(("dwi_1", "dwi_2")):
        save(tmp_path / f"{name}.nii.gz", values(seed=seed))
        (tmp_path / f"{name}.bval").write_text("1000")
    (tmp_path / "dwi_2.json").write_text(json.dumps({"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]}))
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source == "dwi_2.nii.gz"
    assert any("it is the scanner's own trace" in note for note in patient.notes)


def gradient_echo(description="", inversion=None, **tags):
    inversions = {} if inversion is None else {"InversionTime": inversion}
    tags = {"ScanningSequence": "GR", "EchoTime": 3.45, "RepetitionTime": 23, **inversions, **tags}
    return {**tags, "SeriesDescription": description}


NO_T1 = {
    "Philips' time of flight": gradient_echo("3DI_MC_HR"),
    "the same without its name": gradient_echo(),
    "CISS": gradient_echo("CISS"),
    "FIESTA": gradient_echo("FIESTA-C"),
    "TWIST": gradient_echo("TWIST"),
    "field map": gradient_echo(RepetitionTime=488, EchoTime=4.9),
    "T1 map": gradient_echo("T1_Map"),
    "T1 map by image type": gradient_echo("t1", ImageType=["DERIVED", "PRIMARY", "M", "T1 MAP"]),
    "T2 map by image type": {**tags_of("t2"), "ImageType": ["DERIVED", "PRIMARY", "T2 MAP"], "SeriesDescription": "T2"},
    "CISS that is called T2": gradient_echo("t2_ci3d_tra"),
    "T2* of Philips": gradient_echo("T2W_FFE", EchoTime=16, RepetitionTime=700),
    "T2* of Siemens": gradient_echo("T2 tra", EchoTime=60, RepetitionTime=700),
}


@pytest.mark.parametrize("tags", NO_T1.values(), ids=NO_T1)
def test_gradient_echo_that_is_no_t1_is_none(tmp_path, tags):
    classic(tmp_path / "1", **tags)
    classic(tmp_path / "2", number=2, **tags_of("flair"))
    assert set(read_patient(tmp_path).images) == {"flair"}


T1 = {
    "MPRAGE by its inversion": gradient_echo(inversion=900, RepetitionTime=2300),
    "MPRAGE": gradient_echo("MPRAGE"),
    "MP-RAGE": gradient_echo("Sag MP-RAGE"),
    "SPGR": gradient_echo("3D SPGR"),
    "BRAVO": gradient_echo("Ax BRAVO"),
    "FLASH": gradient_echo("t1_fl2d_tra", RepetitionTime=250),
    "TFE": gradient_echo("sT1W_3D_TFE", RepetitionTime=8),
    "United Imaging": gradient_echo("t1_gre_fsp_3d_sag", RepetitionTime=8),
}


@pytest.mark.parametrize("tags", T1.values(), ids=T1)
def test_gradient_echo_that_is_a_t1_is_one(tmp_path, tags):
    classic(tmp_path, **tags)
    assert set(read_patient(tmp_path).images) == {"t1"}


@pytest.mark.parametrize("name", ["t2_fl2d_tra", "t2_me2d_tra", "T2W_FFE", "t2_swi3d_tra", "T2_map", "B0 map"])
def test_file_named_like_a_t2_that_is_none_is_passed_over(tmp_path, name):
    save(tmp_path / f"{name}.nii.gz")
    with pytest.raises(InputError, match="no DWI, T1, T2 or FLAIR"):
        read_patient(tmp_path)


NAMES = {
    "dwi": ["sDWI", "AXDWI", "DwiSE", "ep2d_diff_4scan_trace", "Diffusione", "Reg - DWI_SSh", "DWI T2", "b1000"],
    "flair": ["AXFLAIR", "3DFLAIR", "t2wflair", "t2_blade_tra_dark-fluid", "FLAIR 3D MPR", "Sag CUBE T2 FLAIR"],
    "t1": ["AXT1", "T13D", "T1W_FFE", "t1_starvibe", "MEMPRAGE", "UNIT1", "OAS1_0001_MR1_mpr-1_anon", "IR-FSPGR"],
    "t2": ["AXT2", "T2FS", "t2space", "T2 FRFSE", "t2_spc_MPR", "T2W_TSE_DRIVE", "pd+t2_tse"],
    "adc": ["dADC Map", "Average DC", "Apparent Diffusion Coefficient"],
    None: [
        *("dti_MD", "DTI_eddy_L1", "DTI_FA", "dir-AP_sbref", "dwi_sbref", "T2W_FFE", "T2s", "T2starw", "PDw"),
        *("t1_mp2rage_INV1", "inv-2_MP2RAGE", "T1map", "flair_roi", "T1_dseg", "T1_subtraction"),
        *("relCBF", "tgse_pasl", "T1 dynamic", "gre_field_mapping", "t2_trufi3d", "DWI_eADC", "tof_fl3d", "B_FFE"),
    ],
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in NAMES.items() for name in names])
def test_names_that_scanners_and_data_sets_give(role, name):
    assert sequence_by_name(name) == role


def test_protocol_of_ge_is_of_the_examination_and_says_nothing_of_a_series(tmp_path):
    said = {"Manufacturer": "GE MEDICAL SYSTEMS", "ProtocolName": "BRAIN STROKE MRA PERFUSION WITH CONTRAST"}
    classic(tmp_path / "t1", SeriesDescription="Ax T1", **said, **tags_of("t1"))
    save(tmp_path / "4.nii.gz")
    (tmp_path / "4.json").write_text(json.dumps({**said, "SeriesDescription": "Ax T2 FLAIR", "Manufacturer": "GE"}))
    assert set(read_patient(tmp_path).images) == {"t1", "flair"}
