"""What the network is given of a patient's scans, and what is written and told of them."""

import json
import os
import shutil

import nibabel
import numpy as np
import pytest

from islesnet.data import REFERENCE_ORDER, find_cases
from islesnet.errors import InputError
from islesnet.patients import Preparation, PrepareScans, RawScans, find_patients
from islesnet.patients.scans import PREPARATION
from islesnet.phantom import PhantomSettings, make_patient
from islesnet.stamps import describe
from tests.scanner import made_dicom


@pytest.fixture
def prepare(tmp_path):
    """Prepare one patient into ``out``; return its item and what was made of it."""

    def run(patient, order=REFERENCE_ORDER, **choices):
        item = PrepareScans(tmp_path / "out", order, **choices)(patient.item())
        return item, Preparation.from_text(item[PREPARATION])

    return run


@pytest.fixture
def scattered(write_scan, tmp_path):
    """A patient whose FLAIR and T1 lie on grids of their own, turned to the DWI."""
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna/flair.nii.gz", "flair", degrees=4)
    return tmp_path / "anna"


def written(tmp_path):
    return {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}


def test_file_given_as_another_sequence_than_its_name_says_is_used_with_a_note(prepared, prepare, caplog):
    item, preparation = prepare(RawScans("anna", None, {"dwi": prepared / "flair.nii.gz"}))

    assert item["dwi"] == str(prepared / "flair.nii.gz")
    said = "flair.nii.gz was given as the DWI; but name or description says FLAIR."
    assert said in preparation.notes
    assert f"anna: {said}" in caplog.messages


def test_files_on_one_grid_are_used_where_they_lie_and_nothing_is_written(prepared, prepare, tmp_path):
    (case,) = find_cases(prepared)

    item, preparation = prepare(case)

    assert {key: item[key] for key in ("dwi", "t1", "t2", "flair")} == {
        key: str(path) for key, path in case.sequences.items()
    }
    assert written(tmp_path) == set()
    assert (preparation.reference, preparation.moved, preparation.notes) == ("dwi", (), ())


@pytest.mark.parametrize("is_oriented", [True, False])
def test_header_that_leaves_open_which_side_is_left_is_told_though_the_files_are_used_as_they_are(
    prepared, prepare, tmp_path, is_oriented
):
    prepared = shutil.copytree(prepared, tmp_path / "anna")
    image = nibabel.load(prepared / "dwi.nii.gz")
    mirrored = image.affine @ np.diag([-1, 1, 1, 1]) if is_oriented else image.affine
    image.set_qform(mirrored, code=int(is_oriented))
    image.set_sform(image.affine, code=int(is_oriented))
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), None, image.header), prepared / "dwi.nii.gz")

    item, preparation = prepare(RawScans("anna", None, {"dwi": prepared / "dwi.nii.gz"}))

    assert item["dwi"] == str(prepared / "dwi.nii.gz")
    assert preparation.doubtful_sides == ("dwi",)
    told = "also on which side is left); the sform is used." if is_oriented else "left may be right."
    assert any(note.startswith("dwi.nii.gz: ") and note.endswith(told) for note in preparation.notes)


def test_header_of_a_raw_scan_that_leaves_open_which_side_is_left_is_told_too(scattered, prepare):
    image = nibabel.load(scattered / "flair.nii.gz")
    image.set_qform(image.affine @ np.diag([-1, 1, 1, 1]), code=1)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), None, image.header), scattered / "flair.nii.gz")

    _, preparation = prepare(RawScans("anna", scattered))

    assert preparation.doubtful_sides == ("flair",)
    assert any("flair.nii.gz: qform and sform disagree by" in note for note in preparation.notes)


def test_voxels_without_a_number_are_filled_and_told_in_files_on_one_grid_too(prepared, prepare, tmp_path):
    prepared = shutil.copytree(prepared, tmp_path / "anna")
    image = nibabel.load(prepared / "flair.nii.gz")
    array = np.asarray(image.dataobj, np.float32)
    array[:2] = np.nan
    nibabel.save(nibabel.Nifti1Image(array, image.affine), prepared / "flair.nii.gz")

    item, preparation = prepare(*find_cases(prepared))

    assert np.isfinite(nibabel.load(item["flair"]).get_fdata()).all()
    assert item["flair"] == str(tmp_path / f"out/{item['patient']}/flair.nii.gz")
    assert any(note.endswith("voxels are NaN or infinite and were set to 0.") for note in preparation.notes)


def test_sequences_are_registered_to_the_reference_which_stays_the_users_file(scattered, prepare, tmp_path):
    item, preparation = prepare(RawScans("anna", scattered))

    assert item["dwi"] == str(scattered / "dwi.nii.gz")
    assert item["flair"] == str(tmp_path / "out/anna/flair.nii.gz")
    assert preparation.moved == ("flair",)
    dwi, flair = nibabel.load(item["dwi"]), nibabel.load(item["flair"])
    corners = np.array([(x, y, z, 1) for x in (0, 38) for y in (0, 38) for z in (0, 25)]).T
    assert np.abs((dwi.affine - flair.affine) @ corners).max() < 2.0  # it was up to 8 mm off
    np.testing.assert_array_equal(
        np.asarray(flair.dataobj), np.asarray(nibabel.load(scattered / "flair.nii.gz").dataobj)
    )


def test_item_that_comes_in_is_not_changed(scattered, tmp_path):
    item = RawScans("anna", scattered).item()
    before = dict(item)

    PrepareScans(tmp_path / "out", REFERENCE_ORDER)(item)

    assert item == before


def test_first_of_the_reference_order_that_is_there_is_the_reference(scattered, prepare):
    item, preparation = prepare(RawScans("anna", scattered), order=["t2", "flair", "dwi"])

    assert preparation.reference == "flair"
    assert item["flair"] == str(scattered / "flair.nii.gz")
    assert preparation.moved == ("dwi",)


def test_none_of_the_reference_order_is_refused(scattered, prepare):
    with pytest.raises(InputError, match="none of the sequences t2, t1"):
        prepare(RawScans("anna", scattered), order=["t2", "t1"])


def test_choices_notes_and_numbers_are_written_without_a_path(scattered, prepare, tmp_path):
    _, preparation = prepare(RawScans("anna", scattered))

    told = json.loads((tmp_path / "out/anna/scans.json").read_text(encoding="utf-8"))
    assert told["reference"] == "dwi" and told["moved"] == ["flair"]
    assert {choice["role"] for choice in told["choices"]} == {"dwi", "flair"}
    assert told["registration"]["flair"]["used"] is True
    assert told["registration"]["flair"]["rotation_deg"] == pytest.approx(4, abs=1.5)
    assert any(note.startswith("FLAIR was registered to DWI: moved by") for note in told["notes"])
    assert told["notes"] == list(preparation.notes)
    assert str(tmp_path) not in (tmp_path / "out/anna/scans.json").read_text()


def test_sequence_that_cannot_be_registered_is_left_out_with_a_note(scattered, write_scan, phantom, prepare, tmp_path):
    noise = np.random.default_rng(0).normal(100, 30, phantom.images["flair"].shape)
    image = nibabel.load(write_scan(scattered / "flair.nii.gz", array=noise, degrees=4))
    image.set_qform(None, code=0)
    image.set_sform(image.affine, code=0)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), None, image.header), scattered / "flair.nii.gz")

    item, preparation = prepare(RawScans("anna", scattered))

    assert "flair" not in item and "flair" not in preparation.files
    assert any(note.startswith("FLAIR is left out: it could not be registered to DWI") for note in preparation.notes)
    assert preparation.registration["flair"]["used"] is False
    assert preparation.doubtful_sides == ()  # of a scan that nothing was made of
    assert written(tmp_path) == {"scans.json", "dwi.nii.gz"}


def test_stamp_is_carried_from_a_reference_that_had_to_be_repaired(write_scan, phantom, prepare, tmp_path):
    array = phantom.images["dwi"].copy()
    array[0, 0, 0] = np.nan
    path = write_scan(tmp_path / "anna/x_dwi.nii.gz", array=array)
    image = nibabel.load(path)
    image.header["descrip"] = describe(["PHANTOM"])
    nibabel.save(nibabel.Nifti1Image(array, None, image.header), path)

    item, preparation = prepare(RawScans("anna", tmp_path / "anna"))

    assert any("1 voxels are NaN or infinite and were set to 0" in note for note in preparation.notes)
    assert nibabel.load(item["dwi"]).header["descrip"].item().startswith(b"PHANTOM")


def test_stamp_of_a_synthetic_patient_is_carried_into_what_is_written(scattered, prepare, tmp_path):
    for path in scattered.iterdir():
        image = nibabel.load(path)
        image.header["descrip"] = describe(["PHANTOM"])
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)

    item, _ = prepare(RawScans("anna", scattered), brain_mask="none")

    assert nibabel.load(item["flair"]).header["descrip"].item().startswith(b"PHANTOM, islesnet")


def test_adc_beside_the_dwi_is_found_and_registered_where_it_lies_on_another_grid(
    prepared, phantom, write_scan, prepare, tmp_path
):
    folder = shutil.copytree(prepared, tmp_path / "anna")
    write_scan(folder / "adc.nii.gz", array=np.full(phantom.brain.shape, 0.8))

    item, preparation = prepare(find_cases(folder)[0])

    assert preparation.files["adc"] == str(folder / "adc.nii.gz")
    assert "adc" not in item

    bright_fluid = phantom.images["t2"] / np.median(phantom.images["t2"][phantom.brain > 0])
    write_scan(folder / "adc.nii.gz", array=0.8 * bright_fluid, degrees=4)
    preparation = prepare(find_cases(folder)[0])[1]
    assert preparation.files["adc"] != str(folder / "adc.nii.gz")
    assert preparation.moved == ("adc",)
    sequences = {role: path for role, path in preparation.files.items() if role != "adc"}
    assert sequences == {role: str(folder / f"{role}.nii.gz") for role in ("dwi", "t1", "t2", "flair")}
    assert any(note.startswith("ADC was registered to DWI: moved by") for note in preparation.notes)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_adc_on_the_grid_that_shows_nothing_is_left_out_and_counts_as_damaged(
    prepared, phantom, write_scan, prepare, tmp_path, value
):
    folder = shutil.copytree(prepared, tmp_path / "anna")
    write_scan(folder / "adc.nii.gz", array=np.full(phantom.brain.shape, value))

    preparation = prepare(find_cases(folder)[0])[1]

    assert "adc" not in preparation.files
    assert preparation.damaged == ("adc",)
    assert "adc.nii.gz (ADC) is left out: it has no value above 0." in preparation.notes


def test_adc_whose_header_cannot_be_read_changes_nothing_else(prepared, prepare, tmp_path):
    folder = shutil.copytree(prepared, tmp_path / "anna")
    without = prepare(find_cases(folder)[0])[1]
    (folder / "adc.nii.gz").write_bytes(b"junk")

    preparation = prepare(find_cases(folder)[0])[1]

    assert (preparation.files, preparation.moved) == (without.files, ())
    assert preparation.damaged == ("adc",)
    assert any(note.startswith("adc.nii.gz (ADC) is left out: it ") for note in preparation.notes)


def test_adc_is_computed_where_the_one_beside_the_dwi_cannot_be_used(write_scan, phantom, prepare, tmp_path):
    named = {"dwi": write_scan(tmp_path / "p_b1000_dwi.nii.gz"), "b0": tmp_path / "p_b0.nii.gz"}
    write_scan(named["b0"], array=2.0 * phantom.images["dwi"])
    (tmp_path / "p_b1000_adc.nii.gz").write_bytes(b"junk")

    preparation = prepare(RawScans("anna", None, named))[1]

    assert "adc" in preparation.files
    assert preparation.damaged == ()
    (choice,) = (choice for choice in preparation.choices if choice["role"] == "adc")
    assert "beside" not in choice["why"]


def test_adc_found_beside_a_named_dwi_is_not_told_as_named_by_the_user(write_scan, phantom, prepare, tmp_path):
    named = {"dwi": write_scan(tmp_path / "a_dwi.nii.gz"), "flair": write_scan(tmp_path / "a_flair.nii.gz", "flair", 4)}
    write_scan(tmp_path / "a_adc.nii.gz", array=np.where(phantom.brain, 0.8, 0))

    _, preparation = prepare(RawScans("anna", None, named))

    reasons = {choice["role"]: choice["why"].split(";")[0] for choice in preparation.choices}
    assert reasons == {"dwi": "named as such", "flair": "named as such", "adc": "it lies beside the DWI"}

    write_scan(tmp_path / "a_adc.nii.gz", array=np.zeros(phantom.brain.shape))
    _, preparation = prepare(RawScans("anna", None, named))
    assert "adc" not in preparation.files
    assert preparation.damaged == ("adc",)
    assert "a_adc.nii.gz (ADC) is left out: it has no value above 0." in preparation.notes


def test_adc_that_nobody_named_never_costs_the_patient(write_scan, phantom, prepare, tmp_path):
    named = {"dwi": write_scan(tmp_path / "a_dwi.nii.gz"), "flair": write_scan(tmp_path / "a_flair.nii.gz", "flair", 4)}
    shown = np.arange(phantom.brain.shape[0])[:, None, None] < 10  # of 39: mostly no number
    write_scan(tmp_path / "a_adc.nii.gz", array=np.where(shown & (phantom.brain > 0), 0.8, np.nan))

    preparation = prepare(RawScans("anna", None, named))[1]

    assert set(preparation.files) >= {"dwi", "flair"} and "adc" not in preparation.files
    assert preparation.damaged == ("adc",)
    assert "a_adc.nii.gz (ADC) is left out: it cannot be used as an ADC map." in preparation.notes


def test_sequence_that_cannot_be_read_is_known_to_be_damaged(scattered, prepare):
    whole = (scattered / "flair.nii.gz").read_bytes()
    (scattered / "flair.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert prepare(RawScans("anna", scattered))[1].damaged == ("flair",)
    (scattered / "dwi.nii.gz").write_bytes(b"no NIfTI at all")
    with pytest.raises(InputError, match="what there is of DWI, T1, T2 and FLAIR cannot be used"):
        prepare(RawScans("anna", scattered))


def test_given_brain_goes_before_all_else_and_is_written_on_the_references_grid(prepared, phantom, prepare, tmp_path):
    brain = tmp_path / "brain.nii.gz"
    nibabel.save(nibabel.Nifti1Image(phantom.brain.astype(np.uint8), phantom.affine), brain)
    raw = RawScans("anna", None, {"dwi": prepared / "dwi.nii.gz"}, brain)

    item, preparation = prepare(raw, brain_mask="none")

    mask = nibabel.load(item["brain"])
    assert item["brain"] == str(tmp_path / "out/anna/brain.nii.gz")
    assert preparation.brain == "given"
    assert "The brain mask is the one that was given." in preparation.notes
    np.testing.assert_array_equal(np.asarray(mask.dataobj), phantom.brain)
    np.testing.assert_allclose(mask.affine, nibabel.load(item["dwi"]).affine, atol=1e-4)


def test_given_brain_that_lies_where_the_scan_shows_nothing_is_refused(prepared, phantom, prepare, tmp_path):
    brain = tmp_path / "brain.nii.gz"
    beside = np.asarray(nibabel.load(prepared / "dwi.nii.gz").dataobj) == 0
    nibabel.save(nibabel.Nifti1Image(beside.astype(np.uint8), phantom.affine), brain)

    with pytest.raises(InputError, match="is it of another scan"):
        prepare(RawScans("anna", None, {"dwi": prepared / "dwi.nii.gz"}, brain))


@pytest.mark.parametrize("is_on_one_grid", [True, False])
def test_one_scan_that_is_given_as_two_sequences_is_refused(prepared, prepare, write_scan, tmp_path, is_on_one_grid):
    (tmp_path / "anna").mkdir()
    for name in ("dwi", "flair"):
        shutil.copy(prepared / "dwi.nii.gz", tmp_path / f"anna/{name}.nii.gz")
    if not is_on_one_grid:
        write_scan(tmp_path / "anna/t1.nii.gz", "t1", degrees=4)

    with pytest.raises(InputError, match="DWI and FLAIR have the same voxels"):
        prepare(*find_patients(tmp_path / "anna"))


def test_brain_is_looked_for_only_where_the_skull_is_seen_and_it_is_wanted(write_scan, prepare, tmp_path):
    head = make_patient(0, PhantomSettings(spacing_mm=6.0, is_skull_stripped=False, thick_slices_probability=0.0))
    raw = RawScans("anna", None, {"t1": write_scan(tmp_path / "t1.nii.gz", array=head.images["t1"])})

    assert "brain" not in prepare(raw, brain_mask="none")[0]
    item, preparation = prepare(raw, brain_mask="template")

    found = np.asarray(nibabel.load(item["brain"]).dataobj) > 0
    assert preparation.brain == "template"
    assert any("can miss its border" in note for note in preparation.notes)
    assert 2 * (found & head.brain.astype(bool)).sum() / (found.sum() + head.brain.sum()) > 0.8


def test_skull_of_another_sequence_is_masked_by_a_reference_without_one(write_scan, prepare, tmp_path):
    head = make_patient(1, PhantomSettings(spacing_mm=6.0, is_skull_stripped=False, thick_slices_probability=0.0))
    stripped = np.where(head.brain > 0, head.images["dwi"], 0)
    case = RawScans(
        "anna",
        None,
        {
            "dwi": write_scan(tmp_path / "dwi.nii.gz", array=stripped),
            "t1": write_scan(tmp_path / "t1.nii.gz", array=head.images["t1"]),
        },
    )

    item, preparation = prepare(case)

    mask = np.asarray(nibabel.load(item["brain"]).dataobj) > 0
    assert preparation.brain == "extracted already"
    assert "which has no skull any more" in preparation.notes[-1]
    assert (mask & (head.brain > 0)).sum() > 0.98 * mask.sum()


def test_scans_say_why_there_is_no_brain_mask(scattered, prepare, tmp_path):
    prepare(RawScans("anna", scattered))
    assert json.loads((tmp_path / "out/anna/scans.json").read_text())["brain_mask"] == "the scans have no skull"
    prepare(RawScans("anna", scattered), brain_mask="none")
    assert json.loads((tmp_path / "out/anna/scans.json").read_text())["brain_mask"] == "not looked for"


def test_brain_mask_that_cannot_be_read_is_said(prepared, prepare, tmp_path):
    (tmp_path / "brain.nii.gz").write_bytes(b"no mask")

    with pytest.raises(InputError, match=r"The brain mask .*brain\.nii\.gz"):
        prepare(RawScans("anna", None, {"dwi": prepared / "dwi.nii.gz"}, tmp_path / "brain.nii.gz"))


def test_results_within_the_patients_folder_are_not_read_as_scans(scattered):
    prepare = PrepareScans(scattered / "out", REFERENCE_ORDER)
    prepare(RawScans("anna", scattered).item())
    (scattered / "out/anna_lesion.nii.gz").write_bytes(b"a mask")

    again = Preparation.from_text(prepare(RawScans("anna", scattered).item())[PREPARATION])

    assert {choice["source"] for choice in again.choices} == {"dwi.nii.gz", "flair.nii.gz"}


def test_dicom_becomes_volumes_and_the_slices_of_the_reference_are_kept_in_mind(write_series, prepare, tmp_path):
    slices = write_series(tmp_path / "anna/a")
    write_series(tmp_path / "anna/b", "t1")

    item, preparation = prepare(find_patients(tmp_path / "anna")[0])

    assert item["dwi"] == str(tmp_path / "out/anna/dwi.nii.gz")
    assert set(preparation.dicom) == {(str(path), None) for path in slices}
    assert written(tmp_path) == {"dwi.nii.gz", "t1.nii.gz", "scans.json"}


def test_series_that_cannot_be_read_is_left_out_and_the_others_are_used(write_series, prepare, tmp_path):
    write_series(tmp_path / "anna/a")
    for path in write_series(tmp_path / "anna/b", "flair"):
        path.write_bytes(path.read_bytes()[:-1000])
    (bomb, *_) = write_series(tmp_path / "anna/c", "t1")
    made_dicom.edit(bomb, Rows=65535, Columns=65535)
    (tmp_path / "anna/notes.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"rubbish")

    item, preparation = prepare(RawScans("anna", tmp_path / "anna"))

    assert "flair" not in item
    notes = "\n".join(preparation.notes)
    assert "is cut short or damaged: it announces" in notes
    assert "announces 65535 x 65535 x 1 voxels" in notes
    assert "1 DICOM file: left out; holds no MR image" in notes


@pytest.mark.parametrize("tags", [{"PixelSpacing": [5000.0, 5000.0]}, {"PixelSpacing": [19.0, 9999.0]}])
def test_dicom_that_would_fill_the_memory_by_its_field_of_view_is_refused(write_series, prepare, tmp_path, tags):
    write_series(tmp_path / "anna/a", **tags)

    with pytest.raises(InputError, match=r"voxels of .* mm; a head scan has 0\.05 to 20"):
        prepare(RawScans("anna", tmp_path / "anna"))


def test_pipe_among_the_scans_is_not_waited_for(write_series, prepare, tmp_path):
    write_series(tmp_path / "anna/a")
    for name in ("pipe", "flair.nii.gz"):
        os.mkfifo(tmp_path / "anna" / name)

    _, preparation = prepare(RawScans("anna", tmp_path / "anna"))

    assert "flair.nii.gz: left out; is a device or a pipe, not a file." in preparation.notes


def test_two_series_that_claim_to_be_the_dwi_are_refused_with_what_to_say(write_series, phantom, prepare, tmp_path):
    write_series(tmp_path / "anna/a")
    for path in write_series(tmp_path / "anna/b", number=7):
        made_dicom.edit(path, RescaleSlope=2, RescaleIntercept=0)

    with pytest.raises(InputError, match=r"series 1 .* and series 7 .* both claim to be the DWI.*--dwi PATH"):
        prepare(RawScans("anna", tmp_path / "anna"))
    item, _ = prepare(RawScans("anna", tmp_path / "anna", {"dwi": tmp_path / "anna/b"}))
    assert "dwi" in item


def test_person_of_the_dicom_header_stands_in_no_byte_that_is_written(write_series, prepare, tmp_path, caplog):
    caplog.set_level("DEBUG")
    home = tmp_path / "anna/Mustermann_Erika 19121224"
    write_series(home / "a")
    for path in write_series(home / "GEHEIM4711", "flair"):
        path.write_bytes(path.read_bytes()[:-1000])
    for path in write_series(home / "report", "t1"):
        made_dicom.edit(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")

    _, preparation = prepare(RawScans("anna", tmp_path / "anna"))

    told = preparation.told()
    texts = [json.dumps(told), caplog.text, *(path.read_bytes().decode("latin-1") for path in _files(tmp_path / "out"))]
    for secret in ("Mustermann", "Erika", "GEHEIM4711", "19121224"):
        assert not [text for text in texts if secret.casefold() in text.casefold()], secret


@pytest.mark.parametrize(
    "name", ["a b.nii.gz", "$(touch pwned).nii.gz", "100%s %d.nii.gz", "'\"`.nii.gz", "@dwi.nii.gz", "$@cases.nii.gz"]
)
def test_odd_names_of_files_are_names(write_scan, prepare, tmp_path, name):
    write_scan(tmp_path / "anna/x" / name)

    item, _ = prepare(RawScans("anna", None, {"dwi": tmp_path / "anna/x" / name}))

    assert item["dwi"] == str(tmp_path / "anna/x" / name)


def test_name_in_bytes_that_are_no_text_is_no_trouble(write_scan, prepare, tmp_path):
    write_scan(tmp_path / "anna/flair.nii.gz", "flair")
    write_scan(tmp_path / "anna" / os.fsdecode(b"M\xfcller_dwi.nii.gz"), degrees=3)

    _, preparation = prepare(RawScans("anna", tmp_path / "anna"))

    assert preparation.reference == "dwi"
    assert json.loads((tmp_path / "out/anna/scans.json").read_bytes())["reference"] == "dwi"


def test_file_that_goes_on_after_its_last_voxel_is_used_and_told(prepared, prepare, tmp_path):
    import gzip

    folder = shutil.copytree(prepared, tmp_path / "anna")
    content = gzip.decompress((folder / "dwi.nii.gz").read_bytes())
    (folder / "dwi.nii.gz").write_bytes(gzip.compress(content + bytes(10**8)))

    _, preparation = prepare(RawScans("anna", folder))

    assert any("goes on after its last voxel" in note for note in preparation.notes)


def _files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]
