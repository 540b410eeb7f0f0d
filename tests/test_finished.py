import json
import os

import pytest

import islesnet
from islesnet.errors import InputError
from islesnet.finished import FinishedPatients
from islesnet.patients import find_adc


@pytest.fixture
def item(tmp_path):
    """A patient of two files and a folder of slices."""
    folder = tmp_path / "raw"
    (folder / "series").mkdir(parents=True)
    for path in (tmp_path / "dwi.nii.gz", tmp_path / "t1.nii", folder / "notes", folder / "series/1.dcm"):
        path.write_bytes(b"as it was")
    return {
        "patient": "anna",
        "dwi": str(tmp_path / "dwi.nii.gz"),
        "t1": str(tmp_path / "t1.nii"),
        "folder": str(folder),
    }


@pytest.fixture
def finished_of(tmp_path):
    """Make the object under test anew, as a new run does."""
    (tmp_path / "model.pt").write_bytes(b"weights")

    def make(settings=None, **further):
        return FinishedPatients(tmp_path / "out", tmp_path / "model.pt", settings, **further)

    return make


@pytest.fixture
def done(item, finished_of, tmp_path):
    """Write what `SaveLesionsd` writes."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/anna_lesion.nii.gz").touch()
    (tmp_path / "out/anna_lesion.json").write_text(json.dumps({"made_of": finished_of().digest(item)}))


def test_patient_whose_results_are_made_of_the_same_is_finished(item, finished_of, done):
    assert finished_of().is_finished(item)
    assert not finished_of().is_finished(item | {"patient": "bert"})


def test_scan_named_by_hand_stays_chosen_when_the_folder_comes_again_alone(item, finished_of, done, tmp_path):
    found = {"patient": "anna", "folder": item["folder"]}
    assert finished_of().is_finished(found)
    assert finished_of().is_finished(item)
    assert not finished_of().is_finished({key: value for key, value in item.items() if key != "t1"})
    assert not finished_of("other settings").is_finished(found)
    (tmp_path / "raw/series/2.dcm").touch()
    assert not finished_of().is_finished(found)


def test_what_was_found_in_a_folder_is_no_answer_to_a_scan_named_by_hand(item, finished_of, done, tmp_path):
    found = {"patient": "anna", "folder": item["folder"]}
    (tmp_path / "out/anna_lesion.json").write_text(json.dumps({"made_of": finished_of().digest(found)}))
    assert finished_of().is_finished(found)
    assert not finished_of().is_finished(item)


def test_when_asked_to_do_it_again_nobody_is_finished(item, finished_of, done):
    assert not finished_of(again=True).is_finished(item)
    with pytest.raises(InputError, match="again is 'false'; write --again True or --again False"):
        finished_of(again="false")


@pytest.mark.parametrize("name", ["dwi.nii.gz", "t1.nii", "raw/series/1.dcm"])
@pytest.mark.parametrize("change", ["size", "time", "absence"])
def test_changed_file_makes_the_patient_unfinished(item, finished_of, done, tmp_path, name, change):
    path = tmp_path / name
    before = path.stat()
    if change == "absence":
        path.unlink()
    elif change == "size":
        path.write_bytes(b"and more than it was")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not finished_of().is_finished(item)


def test_file_added_to_the_folder_makes_the_patient_unfinished_but_a_hidden_one_does_not(
    item, finished_of, done, tmp_path
):
    (tmp_path / "raw/.DS_Store").touch()
    (tmp_path / "raw/.git").mkdir()
    (tmp_path / "raw/.git/index").touch()
    assert finished_of().is_finished(item)
    (tmp_path / "raw/series/2.dcm").touch()
    assert not finished_of().is_finished(item)


def test_sequence_more_or_less_makes_the_patient_unfinished(item, finished_of, done):
    assert not finished_of().is_finished({key: value for key, value in item.items() if key != "t1"})
    assert not finished_of().is_finished({**item, "t1": item["dwi"], "dwi": item["t1"]})


def test_other_weights_settings_or_version_make_the_patient_unfinished(item, finished_of, done, tmp_path, monkeypatch):
    assert not finished_of({"threshold": 0.4}).is_finished(item)
    for name, other in (("__version__", "99"), ("RESULTS_SINCE", "2099-12-31")):
        with monkeypatch.context() as patch:
            patch.setattr(islesnet, name, other)
            assert not finished_of().is_finished(item)
    (tmp_path / "model.pt").write_bytes(b"other weights")
    assert not finished_of().is_finished(item)


def test_order_of_settings_and_of_files_does_not_matter(item, finished_of):
    backwards = dict(reversed(item.items()))
    assert finished_of({"a": [1, None], "b": 2.5}).digest(item) == finished_of({"b": 2.5, "a": [1, None]}).digest(
        backwards
    )


def test_patient_without_the_report_that_is_wanted_is_unfinished(item, finished_of, done, tmp_path):
    assert not finished_of(report=True).is_finished(item)
    (tmp_path / "out/anna").mkdir()
    (tmp_path / "out/anna/report.html").touch()
    assert finished_of(report=True).is_finished(item)
    with pytest.raises(InputError, match="report is 'false'; write --report True or --report False"):
        finished_of(report="false")


def test_patient_without_the_probability_that_is_wanted_is_unfinished(item, finished_of, done, tmp_path):
    assert not finished_of(probability=True).is_finished(item)
    (tmp_path / "out/anna_probability.nii.gz").touch()
    assert finished_of(probability=True).is_finished(item)


@pytest.mark.parametrize(("name", "counts"), [("t1.json", True), ("t1.bval", True), ("t1_adc.nii", False)])
def test_files_called_as_a_volume_count_with_it(item, finished_of, done, tmp_path, name, counts):
    (tmp_path / name).touch()
    assert finished_of().is_finished(item) is not counts


def test_file_that_is_read_beside_a_volume_counts_though_no_item_names_it(item, finished_of, tmp_path):
    prepared = {"patient": "anna", "dwi": item["dwi"]}
    asks = {"read_beside": find_adc}
    alone = finished_of(**asks).digest(prepared)
    assert finished_of().digest(prepared) == alone

    (tmp_path / "adc.nii.gz").touch()

    assert finished_of().digest(prepared) == alone
    assert finished_of(**asks).digest(prepared) != alone


def test_all_slices_beside_a_named_one_count_but_no_results(item, finished_of, tmp_path):
    named = {"patient": "anna", "dwi": str(tmp_path / "raw/series/1.dcm")}
    before = finished_of().digest(named)
    (tmp_path / "raw/series/.DS_Store").touch()
    assert finished_of().digest(named) == before
    (tmp_path / "raw/series/2.dcm").touch()
    assert finished_of().digest(named) != before

    among = finished_of()
    among.output_dir = tmp_path / "raw/series"
    before = among.digest(named)
    (tmp_path / "raw/series/cohort.csv").touch()
    assert among.digest(named) == before


def test_patient_without_a_mask_is_unfinished(item, finished_of, done, tmp_path):
    (tmp_path / "out/anna_lesion.nii.gz").unlink()
    assert not finished_of().is_finished(item)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"made_of": null}', b"\xff"])
def test_patient_without_readable_numbers_is_unfinished(item, finished_of, done, tmp_path, content):
    numbers = tmp_path / "out/anna_lesion.json"
    if content is None:
        numbers.unlink()
    else:
        numbers.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert not finished_of().is_finished(item)


def test_folder_that_links_to_itself_and_a_link_to_nowhere_are_no_trouble(item, finished_of, tmp_path):
    before = finished_of().digest(item)
    (tmp_path / "raw/series/up").symlink_to(tmp_path / "raw")
    assert finished_of().digest(item) == before
    (tmp_path / "raw/gone").symlink_to(tmp_path / "nowhere")
    assert finished_of().digest(item) != before


def test_results_among_the_scans_do_not_make_the_patient_unfinished(item, finished_of, tmp_path):
    within = finished_of()
    within.output_dir = tmp_path / "raw/out"
    before = within.digest(item)
    within.output_dir.mkdir()
    (within.output_dir / "anna_lesion.nii.gz").touch()
    assert within.digest(item) == before


@pytest.mark.parametrize("text", ["", "trace", "x" * 5000, "nul\0"])
def test_what_is_no_file_enters_as_text(item, finished_of, text):
    assert finished_of().digest(item | {"how": text}) == finished_of().digest(item | {"how": text})
    assert finished_of().digest(item | {"how": text}) != finished_of().digest(item | {"how": text + "!"})


def test_patient_called_like_a_folder_is_still_a_name(finished_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = finished_of().digest({"patient": "anna"})
    (tmp_path / "anna").mkdir()
    assert finished_of().digest({"patient": "anna"}) == before


def test_weights_are_read_once_and_not_before_they_are_needed(item, finished_of, tmp_path):
    finished = finished_of()
    (tmp_path / "model.pt").write_bytes(b"those of the run")
    before = finished.digest(item)
    (tmp_path / "model.pt").unlink()
    assert finished.digest(item) == before
    with pytest.raises(FileNotFoundError, match=r"model\.pt"):
        finished_of().digest(item)
