"""What a run may replace where it writes a patient's results, and what is refused so that nothing is lost."""

import json
import os
import shutil
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.files import sha256_of
from islesnet.patients import BeginPatient, RawScans, require_apart
from islesnet.patients.source import is_same_source, source_of
from islesnet.provenance import write_provenance
from islesnet.result_files import CORRECTABLE, IN_FOLDER, MARK, earlier_results, mark
from tests.scanner import made_dicom


@pytest.fixture
def scans(tmp_path):
    """Folder of one patient's scans; what is in them does not matter here."""
    (tmp_path / "anna").mkdir()
    for name in ("dwi.nii.gz", "flair.nii.gz"):
        (tmp_path / "anna" / name).write_bytes(b"a scan")
    return tmp_path / "anna"


@pytest.fixture
def begin(tmp_path):
    """Begin a patient in ``out``."""
    (tmp_path / "out").mkdir()
    return lambda patient: BeginPatient(tmp_path / "out")(patient if isinstance(patient, dict) else patient.item())


def write(path, content=b"somebody's"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def there(tmp_path):
    """What lies in the folder of results, but for earlier ones that were set aside."""
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    return {file for file in files if not file.startswith(".earlier_")}


def aside(tmp_path):
    return {path.name for path in earlier_results(tmp_path / "out", "anna").glob("*")}


def test_other_files_in_a_patients_folder_of_results_stay(scans, begin, tmp_path):
    write(tmp_path / "out/anna/consent.pdf")

    begin(RawScans("anna", scans))

    assert there(tmp_path) == {"anna/consent.pdf", f"anna/{MARK}"}


def written_mask(tmp_path):
    """A mask as a run leaves it, with its numbers."""
    mask = write(tmp_path / "out/anna_lesion.nii.gz", b"a mask")
    numbers = {"islesnet": "0.1.0", "mask_sha256": sha256_of(mask)}
    (tmp_path / "out/anna_lesion.json").write_text(json.dumps(numbers))
    return mask


def test_item_is_handed_on_with_its_source(scans, begin):
    item = RawScans("anna", scans).item() | {"made_of": "0a1b"}

    assert begin(item) == item | {"made_from": source_of(item)}


def write_numbers(tmp_path, item):
    numbers = {"islesnet": "0.1.0", "made_from": source_of(item)}
    (tmp_path / "out/anna_lesion.json").write_text(json.dumps(numbers))


def test_results_of_another_patient_of_the_same_name_are_replaced_only_where_that_is_said(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    write_numbers(tmp_path, RawScans("anna", scans).item())
    other = write(tmp_path / "elsewhere/anna/dwi.nii.gz", b"a scan of another anna").parent

    with pytest.raises(
        InputError, match=r"anna_lesion\.json: the results there were made from different scans.*--again"
    ):
        begin(RawScans("anna", other))
    assert (tmp_path / "out/anna_lesion.json").exists()
    BeginPatient(tmp_path / "out", again=True)(RawScans("anna", other).item())

    assert there(tmp_path) == {f"anna/{MARK}"}


@pytest.mark.parametrize("change", ["moved", "exchanged", "none"])
def test_scans_that_moved_or_were_exchanged_in_their_place_are_the_same_patients(scans, begin, tmp_path, change):
    begin(RawScans("anna", scans))
    write_numbers(tmp_path, RawScans("anna", scans).item())
    if change == "moved":
        scans = scans.rename(tmp_path / "store")
    elif change == "exchanged":
        write(scans / "dwi.nii.gz", b"a better scan")

    begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}"}


def test_dicom_of_another_examination_in_the_same_place_is_another_patients(begin, tmp_path):
    inbox, examinations = tmp_path / "inbox", [generate_uid(), generate_uid()]
    made_dicom.classic(inbox, made_dicom.head(3), StudyInstanceUID=examinations[0])
    begin(RawScans("anna", inbox))
    write_numbers(tmp_path, RawScans("anna", inbox).item())
    begin(RawScans("anna", inbox))
    write_numbers(tmp_path, RawScans("anna", inbox).item())
    shutil.rmtree(inbox)
    made_dicom.classic(inbox, made_dicom.head(3), StudyInstanceUID=examinations[1])

    with pytest.raises(InputError, match="made from different scans"):
        begin(RawScans("anna", inbox))


def test_results_of_a_patient_whose_scans_are_not_there_any_more_stay(begin, tmp_path):
    mask = written_mask(tmp_path)
    write(tmp_path / "out/anna/report.html")
    mark(tmp_path / "out/anna", is_finished=True)
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna/dwi.nii.gz").symlink_to("/nowhere/annexed")

    for gone in (RawScans("anna", tmp_path / "anna"), RawScans("anna", lost=("dwi",))):
        begin(gone)
        assert mask.exists() and (tmp_path / "out/anna/report.html").exists()


@pytest.mark.parametrize("left", ["anna_mask", "adc", "swi", "brain_mask"])
def test_results_stay_where_nothing_but_masks_and_maps_was_fetched(begin, tmp_path, left):
    mask = written_mask(tmp_path)
    mark(tmp_path / "out/anna", is_finished=True)
    write(tmp_path / f"anna/{left}.nii.gz")

    begin(RawScans("anna", tmp_path / "anna"))

    assert mask.exists()


def test_mask_that_was_corrected_is_kept_however_deep_the_scans_lie(begin, tmp_path):
    scan = write(tmp_path / "anna/1/2/3/4/5/6/7/8/9/10/scan.nii.gz", b"a scan")
    begin(RawScans("anna", tmp_path / "anna"))
    written_mask(tmp_path).write_bytes(b"corrected")

    assert source_of(RawScans("anna", tmp_path / "anna").item())
    with pytest.raises(InputError, match="is not as a run of islesnet left it"):
        begin(RawScans("anna", tmp_path / "anna"))
    assert scan.exists() and (tmp_path / "out/anna_lesion.nii.gz").read_bytes() == b"corrected"


def test_source_stays_the_same_where_scans_come_to_a_patients_or_a_visit_has_two_studies(scans, tmp_path):
    prepared = {"patient": "anna", "dwi": str(scans / "dwi.nii.gz")}
    more = prepared | {"flair": str(write(tmp_path / "elsewhere/flair.nii.gz", b"fetched since"))}
    visit = [tmp_path / "visit", tmp_path / "exported again"]
    studies = [generate_uid(), generate_uid()]
    for folder, order in zip(visit, (studies, studies[::-1]), strict=True):
        for place, study in zip(("0001", "0002"), order, strict=True):
            made_dicom.classic(folder / place, made_dicom.head(3), StudyInstanceUID=study)

    assert is_same_source(source_of(prepared), source_of(more))
    first, again = ({"patient": "anna", "folder": str(folder)} for folder in visit)
    assert is_same_source(source_of(first), source_of(again))
    assert is_same_source(source_of(first), source_of({"patient": "anna", "dwi": str(visit[0] / "0001")}))
    (visit[0] / "more").mkdir()
    write(visit[0] / "more/converted.nii.gz")
    assert is_same_source(source_of(first), source_of(again))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("dwi.mhd", b"NDims = 3\nElementDataFile = {}\n"),
        ("dwi [1].mhd", b"NDims = 3\r\nElementDataFile={}\r\n"),
        ("dwi.nrrd", b"NRRD0004\ntype: short\ndata file: {}\n\n"),
    ],
)
@pytest.mark.parametrize("voxels", ["dwi.raw", "voxels.bin"])
def test_header_alone_is_known_by_its_voxels(tmp_path, name, header, voxels):
    items = []
    for day in ("monday", "tuesday"):
        scan = write(tmp_path / day / name, header.replace(b"{}", voxels.encode()))
        write(tmp_path / day / voxels, f"the voxels of {day}".encode())
        (tmp_path / day / "dwi.json").symlink_to("/nowhere/annexed")
        items.append({"patient": "anna", "dwi": str(scan)})

    assert not is_same_source(*map(source_of, items))


def test_what_cannot_be_read_is_known_by_nothing_and_a_header_without_voxels_by_itself(tmp_path):
    alone = {"patient": "anna", "dwi": str(write(tmp_path / "odd/dwi.mhd", b"ElementDataFile = gone.raw\n"))}
    broken = {"patient": "anna", "folder": str(write(tmp_path / "inbox/1", b"\0" * 128 + b"DICM").parent)}

    assert source_of(broken) == ""
    assert len(source_of(alone).split()) == 2  # and its folder


def test_file_that_cannot_be_read_or_is_a_pipe_does_not_stop_the_beginning(scans, begin, monkeypatch):
    os.mkfifo(scans / "t1.nii.gz")
    opened = Path.open

    def refuse(path, *how, **further):
        if path.name == "flair.nii.gz":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **further)

    monkeypatch.setattr(Path, "open", refuse)
    begin({"patient": "anna", **{role: str(scans / f"{role}.nii.gz") for role in ("dwi", "flair", "t1")}})
    begin(RawScans("anna", scans))


def test_prepared_files_are_known_by_their_place_and_by_what_is_in_them(scans, tmp_path):
    item = {"patient": "anna", "dwi": str(scans / "dwi.nii.gz")}
    copy = {"patient": "b", "dwi": str(write(tmp_path / "copy/1.nii.gz", (scans / "dwi.nii.gz").read_bytes()))}
    other = {"patient": "anna", "dwi": str(write(tmp_path / "other/dwi.nii.gz", b"b scan"))}

    assert is_same_source(source_of(item), source_of(copy))
    assert not is_same_source(source_of(item), source_of(other))


def test_all_that_an_earlier_run_left_of_the_patient_is_taken_away_and_nothing_else(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    for name in IN_FOLDER:
        write(tmp_path / "out/anna" / name, b'{"registration": {}, "brain_mask": "", "choices": []}')
    write(tmp_path / "out/anna/notes.txt")
    write(tmp_path / "out/anna_probability.nii.gz")
    write(tmp_path / "out/bert_lesion.nii.gz")
    written_mask(tmp_path)

    begin(RawScans("anna", scans))

    assert there(tmp_path) == {"anna/notes.txt", "bert_lesion.nii.gz", f"anna/{MARK}"}


def test_half_files_of_a_killed_run_are_taken_away_and_another_patients_are_not(scans, begin, tmp_path):
    for name in ("anna/.part.abc.dwi.nii.gz", ".part.abc.anna_lesion.nii.gz", ".part.abc.bert_lesion.nii.gz"):
        write(tmp_path / "out" / name)

    begin(RawScans("anna", scans))

    assert there(tmp_path) == {".part.abc.bert_lesion.nii.gz", f"anna/{MARK}"}


@pytest.mark.parametrize("name", ["anna/t2.nii.gz", "anna/further/x.nii.gz", "anna/scans.json", "anna_lesion.nii.gz"])
def test_what_happens_to_lie_where_results_go_is_not_replaced(scans, begin, tmp_path, name):
    theirs = write(tmp_path / "out" / name)

    with pytest.raises(InputError, match=f"{name} is no result of an earlier run"):
        begin(RawScans("anna", scans))

    assert theirs.read_bytes() == b"somebody's"


def test_refused_patient_is_refused_again_though_the_run_left_its_provenance(scans, begin, tmp_path):
    theirs = write(tmp_path / "out/anna_lesion.nii.gz")
    for _ in range(2):
        with pytest.raises(InputError, match="is no result of an earlier run"):
            begin(RawScans("anna", scans))
        write_provenance(tmp_path / "out", began=0)
    begin(RawScans("bert", scans))
    with pytest.raises(InputError, match="is no result of an earlier run"):
        begin(RawScans("anna", scans))
    assert theirs.read_bytes() == b"somebody's"


def test_patient_that_was_begun_is_begun_again_whatever_a_killed_run_left(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    write(tmp_path / "out/anna/brain.nii.gz", b"half a run's")

    begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}"}


@pytest.mark.parametrize("is_link", [False, True])
def test_file_or_broken_link_in_the_place_of_the_patients_folder_is_not_replaced(scans, begin, tmp_path, is_link):
    theirs = tmp_path / "out/anna"
    theirs.symlink_to(tmp_path / "nowhere") if is_link else write(theirs)

    with pytest.raises(InputError, match=r"out/anna is no result of an earlier run"):
        begin(RawScans("anna", scans))

    assert os.path.lexists(theirs)


def test_mask_never_lies_without_its_numbers_where_a_run_is_killed_while_it_begins(scans, begin, tmp_path, monkeypatch):
    begin(RawScans("anna", scans))
    written_mask(tmp_path)
    write(tmp_path / "out/anna_probability.nii.gz")
    move = shutil.move

    def killed_at_the_mask(path, target):
        if path.name == "anna_lesion.nii.gz":
            raise KeyboardInterrupt
        move(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "move", killed_at_the_mask)
        begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}", "anna_lesion.nii.gz", "anna_lesion.json"}
    begin(RawScans("anna", scans))
    assert aside(tmp_path) == {"anna_probability.nii.gz", "anna_lesion.nii.gz", "anna_lesion.json"}


def test_earlier_results_of_another_examination_stay_after_a_run_that_did_not_finish(scans, begin, tmp_path):
    item = RawScans("anna", scans).item()
    begin(item)
    mask = written_mask(tmp_path)
    numbers = {"islesnet": "0.1.0", "made_from": source_of(item), "mask_sha256": sha256_of(mask)}
    (tmp_path / "out/anna_lesion.json").write_text(json.dumps(numbers))
    begin(item)  # and killed: what was made lies aside
    other = RawScans("anna", write(tmp_path / "elsewhere/anna/dwi.nii.gz", b"another anna's").parent).item()

    with pytest.raises(InputError, match="made from different scans under the same patient name"):
        begin(other)

    assert "anna_lesion.nii.gz" in aside(tmp_path)


def test_earlier_mask_that_is_a_link_goes_on_leading_to_its_file(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    mask = written_mask(tmp_path)
    stored = write(tmp_path / "out/.store/mask", mask.read_bytes())
    mask.unlink()
    mask.symlink_to(Path(".store/mask"))

    begin(RawScans("anna", scans))

    kept = earlier_results(tmp_path / "out", "anna") / mask.name
    assert kept.resolve() == stored.resolve()
    assert not mask.exists()


def test_earlier_results_are_set_aside_and_outlive_a_run_that_did_not_finish(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    written_mask(tmp_path)

    begin(RawScans("anna", scans))
    write(tmp_path / "out/anna/report.html")  # of a run that was killed
    begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}"}
    assert aside(tmp_path) == {"anna_lesion.nii.gz", "anna_lesion.json"}


@pytest.mark.parametrize(("numbers", "is_ours"), [("{}", False), ("no JSON", False), ('{"islesnet": "0.1.0"}', True)])
def test_results_that_were_copied_without_hidden_files_are_known_by_their_numbers(
    scans, begin, tmp_path, numbers, is_ours
):
    write(tmp_path / "out/anna_lesion.json", numbers.encode())
    if is_ours:
        begin(RawScans("anna", scans))
        assert there(tmp_path) == {f"anna/{MARK}"}
    else:
        with pytest.raises(InputError, match="is no result of an earlier run"):
            begin(RawScans("anna", scans))


def test_mask_that_was_corrected_is_not_replaced_until_it_is_moved_away(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    mask = written_mask(tmp_path)
    mask.write_bytes(b"a mask that an expert corrected")

    for _ in range(2):
        told = (
            r"anna_lesion\.nii\.gz is not as a run of islesnet left it: somebody .* changed it.* it stays there: move"
        )
        with pytest.raises(InputError, match=told):
            begin(RawScans("anna", scans))
        assert mask.read_bytes() == b"a mask that an expert corrected"
    mask.rename(tmp_path / "corrected.nii.gz")
    begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}"}


@pytest.mark.parametrize("is_made", [True, False])
@pytest.mark.parametrize("name", CORRECTABLE)
def test_brain_mask_or_dicom_that_somebody_corrected_or_drew_is_not_replaced_until_it_is_moved_away(
    scans, begin, tmp_path, name, is_made
):
    begin(RawScans("anna", scans))
    file = tmp_path / "out/anna" / name
    if is_made:
        write(file, b"as the run made it")
    mark(tmp_path / "out/anna", is_finished=True)
    written_mask(tmp_path)
    file.write_bytes(b"an expert's")

    with pytest.raises(InputError, match=f"{name} is not as a run of islesnet left it"):
        begin(RawScans("anna", scans))
    file.rename(tmp_path / "corrected")
    begin(RawScans("anna", scans))

    assert there(tmp_path) == {f"anna/{MARK}"}


@pytest.mark.parametrize("name", ["anna_lesion.json", "anna_probability.nii.gz"])
def test_what_somebody_put_beside_the_folder_of_a_run_that_failed_is_not_replaced(scans, begin, tmp_path, name):
    begin(RawScans("anna", scans))
    theirs = write(tmp_path / "out" / name, b'{"by": "an expert"}')

    with pytest.raises(InputError, match=f"{name} is not as a run of islesnet left it"):
        begin(RawScans("anna", scans))

    assert theirs.exists()


def test_mask_that_an_expert_drew_where_a_run_failed_is_not_replaced(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    drawn = write(tmp_path / "out/anna_lesion.nii.gz", b"an expert's")

    with pytest.raises(InputError, match=r"anna_lesion\.nii\.gz is not as a run of islesnet left it"):
        begin(RawScans("anna", scans))

    assert drawn.exists()


@pytest.mark.parametrize("numbers", ['{"Type": "Lesion", "Manual": true}', "{}", "no JSON", ""])
def test_mask_of_an_expert_with_a_json_of_its_own_is_not_replaced(scans, begin, tmp_path, numbers):
    begin(RawScans("anna", scans))
    drawn = write(tmp_path / "out/anna_lesion.nii.gz", b"an expert's")
    write(tmp_path / "out/anna_lesion.json", numbers.encode())

    with pytest.raises(InputError, match=r"anna_lesion\.nii\.gz is not as a run of islesnet left it"):
        begin(RawScans("anna", scans))

    assert drawn.exists()


def test_mask_of_an_earlier_islesnet_that_wrote_no_checksum_is_replaced(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    mask = written_mask(tmp_path)
    (tmp_path / "out/anna_lesion.json").write_text('{"islesnet": "0.1.0"}')

    begin(RawScans("anna", scans))

    assert not mask.exists()


def test_where_the_patient_gets_no_folder_nothing_in_it_is_touched(scans, tmp_path):
    item = {"patient": "anna", "dwi": str(scans / "dwi.nii.gz")}
    begin = BeginPatient(tmp_path, has_folder=False)  # its results beside the scans' folder are no danger to them
    begin(item)
    written = write(tmp_path / "anna_lesion.json", b'{"islesnet": "0.1.0"}')

    begin(item)

    assert (scans / "dwi.nii.gz").exists() and not written.exists()


def test_mark_goes_with_the_results_so_that_scans_put_in_their_place_are_nobodys_to_replace(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    shutil.rmtree(tmp_path / "out/anna")
    theirs = write(tmp_path / "out/anna/dwi.nii.gz")

    with pytest.raises(InputError, match="is no result of an earlier run"):
        begin(RawScans("anna", scans))

    assert theirs.exists()


@pytest.mark.parametrize("name", [MARK, "patient.json"])
def test_scans_that_results_were_copied_to_are_not_replaced(scans, begin, tmp_path, name):
    theirs = write(tmp_path / "out/anna/dwi.nii.gz")
    write(tmp_path / "out/anna" / name, b'{"total_volume_ml": 0.0, "lesions": [], "versions": {}}')

    with pytest.raises(InputError, match=r"dwi\.nii\.gz is no result of an earlier run"):
        begin(RawScans("anna", scans))

    assert theirs.exists()


def test_run_that_gives_no_folder_makes_nobodys_folder_the_runs(scans, tmp_path):
    BeginPatient(tmp_path, has_folder=False)({"patient": "anna", "dwi": str(scans / "dwi.nii.gz")})
    (tmp_path / "anna_lesion.json").write_text('{"islesnet": "0.1.0"}')
    other = write(tmp_path / "raw/dwi.nii.gz")

    with pytest.raises(InputError, match="is no result of an earlier run"):
        BeginPatient(tmp_path)({"patient": "anna", "dwi": str(other)})

    assert (scans / "dwi.nii.gz").exists()


def test_report_that_would_speak_of_another_mask_is_refused(scans, tmp_path):
    report = write(tmp_path / "out/anna/report.html")

    with pytest.raises(InputError, match=r"report\.html speaks of another run's mask"):
        BeginPatient(tmp_path / "out", has_folder=False)({"patient": "anna", "dwi": str(scans / "dwi.nii.gz")})

    assert report.exists()


@pytest.mark.parametrize("closed", ["out", "out/anna"])
def test_results_of_another_user_are_not_removed_in_part(scans, begin, tmp_path, monkeypatch, closed):
    begin(RawScans("anna", scans))
    mask, report = written_mask(tmp_path), write(tmp_path / "out/anna/report.html")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / closed and access(path, mode))

    with pytest.raises(InputError, match=rf"Cannot write to the folder .*/{closed}: permission denied"):
        begin(RawScans("anna", scans))

    assert mask.exists() and report.exists()


def test_scan_that_is_not_there_costs_no_earlier_results(scans, begin, tmp_path):
    begin(RawScans("anna", None, {"dwi": scans / "dwi.nii.gz"}))
    mask = written_mask(tmp_path)

    for named, brain in (("absent.nii.gz", None), ("dwi.nii.gz", tmp_path / "absent.nii.gz")):
        with pytest.raises(InputError, match=r"absent\.nii\.gz: does not exist"):
            begin(RawScans("anna", None, {"dwi": scans / named}, brain))

    assert mask.exists()


def test_truth_that_lies_where_the_mask_would_go_is_not_replaced(scans, begin, tmp_path):
    begin(RawScans("anna", scans))
    truth = written_mask(tmp_path)

    with pytest.raises(InputError, match="would be written among the scans"):
        begin({"patient": "anna", "dwi": str(scans / "dwi.nii.gz"), "label": str(truth)})

    assert truth.exists()


@pytest.mark.parametrize("inside", ["", "series"])
def test_results_that_would_fall_among_the_scans_are_refused(tmp_path, inside):
    scan = write(tmp_path / "data/anna" / inside / "scan_dwi.nii.gz")

    for item in (RawScans("anna", tmp_path / "data/anna").item(), {"patient": "anna", "dwi": str(scan)}):
        with pytest.raises(InputError, match="would be written among the scans"):
            BeginPatient(tmp_path / "data")(item)


def test_folder_where_everybodys_results_would_fall_among_the_scans_is_refused_before_anything_is_written(scans):
    anna, other = RawScans("anna", scans), RawScans("other", scans.parent / "elsewhere")

    with pytest.raises(InputError, match="would be written among the scans"):
        require_apart([anna], scans)
    with pytest.raises(InputError, match="would be written among the scans"):
        require_apart([anna.item()], scans.parent)
    require_apart([anna, other], scans)
    require_apart([anna], scans / "results")


def test_results_in_the_patients_own_folder_are_refused(scans):
    with pytest.raises(InputError, match="would be written among the scans"):
        BeginPatient(scans)(RawScans("other", scans).item())
