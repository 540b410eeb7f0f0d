import errno
import json
import logging
from pathlib import Path

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, MetaTensor
from monai.transforms import AsDiscreted, Compose, Lambda, MapTransform
from torch import nn

from islesnet.cohort import CohortDataset, CohortEvaluator
from islesnet.data import Case
from islesnet.errors import InputError
from islesnet.failures import describe_failure
from islesnet.finished import FinishedPatients
from islesnet.result_files import EDITED_MASK
from islesnet.transforms import SaveLesionsd


def cases(*patients, folder="."):
    return [Case(patient, {"dwi": Path(folder) / f"{patient}.nii.gz"}) for patient in patients]


def load(item):
    """Stand in for the preprocessing: refuses patients by their names."""
    if item["patient"].startswith("empty"):
        raise InputError(f"{Path(item['dwi']).name} is empty")
    if item["patient"].startswith("long"):
        raise InputError("no DWI was recognised. Looked at:\n  swi.nii.gz: not used\n  and 3 more")
    if item["patient"].startswith("full"):
        raise RuntimeError("preparing") from OSError(errno.ENOSPC, "No space left on device", "/out/x")
    if item["patient"].startswith("torn"):
        raise EOFError("Compressed file ended before the end-of-stream marker")
    return {"patient": item["patient"], "image": torch.ones(1, 4, 4, 2), "label": torch.ones(1, 4, 4, 2)}


class Write(MapTransform):
    """Stand in for the postprocessing's last step."""

    def __init__(self, written):
        super().__init__(keys="pred")
        self.written = written

    def __call__(self, data):
        if data["patient"].startswith("disk"):
            raise OSError(errno.ENOSPC, "No space left on device", f"{data['patient']}_lesion.nii.gz")
        self.written.append((data["patient"], tuple(data["pred"].shape)))
        return data


class Network(nn.Conv3d):
    """A network that refuses one patient's volume."""

    def __init__(self, fails_at=None):
        super().__init__(1, 2, 1)
        self.fails_at, self.passes = fails_at, 0

    def forward(self, image):
        self.passes += 1
        if self.passes == self.fails_at:
            raise torch.OutOfMemoryError("tried to allocate 90 GiB")
        return super().forward(image)


@pytest.fixture
def written():
    return []


@pytest.fixture
def evaluator_of(written):
    def make(*patients, network=None, folder="."):
        dataset = CohortDataset(cases(*patients, folder=folder), Compose([Lambda(load)]))
        return CohortEvaluator(
            device=torch.device("cpu"),
            val_data_loader=DataLoader(dataset, batch_size=1, num_workers=0),
            network=network or Network(),
            postprocessing=Compose([AsDiscreted(keys="pred", argmax=True), Write(written)]),
        )

    return make


def test_all_patients_are_segmented_one_by_one(evaluator_of, written):
    evaluator = evaluator_of("a", "b")
    evaluator.run()
    assert written == [("a", (1, 4, 4, 2)), ("b", (1, 4, 4, 2))]
    assert evaluator.failures == {}


@pytest.mark.parametrize("patients", [("empty", "b", "c"), ("a", "empty", "c"), ("a", "b", "empty")])
def test_patient_who_cannot_be_loaded_is_passed_over_and_named_at_the_end(evaluator_of, written, patients):
    with pytest.raises(InputError, match=r"^1 of 3 patients failed:\n  empty: empty\.nii\.gz is empty$"):
        evaluator_of(*patients).run()
    assert [patient for patient, _ in written] == [patient for patient in patients if patient != "empty"]


def test_every_failed_patient_is_named_with_its_reason(evaluator_of, written):
    evaluator = evaluator_of("empty1", "a", "torn", "b", "disk")
    with pytest.raises(InputError) as caught:
        evaluator.run()
    assert str(caught.value).splitlines() == [
        "3 of 5 patients failed:",
        "  empty1: empty1.nii.gz is empty",
        "  torn: EOFError: Compressed file ended before the end-of-stream marker",
        "  disk: disk_lesion.nii.gz: no space left on device",
        "Then the run was stopped: disk_lesion.nii.gz: no space left on device",
    ]
    assert [patient for patient, _ in written] == ["a", "b"]


def test_further_lines_of_a_reason_are_not_taken_for_patients(evaluator_of):
    evaluator = evaluator_of("long", "empty")
    with pytest.raises(InputError) as caught:
        evaluator.run()
    assert str(caught.value).splitlines() == [
        "2 of 2 patients failed:",
        "  long: no DWI was recognised. Looked at:",
        "    swi.nii.gz: not used",
        "    and 3 more",
        "  empty: empty.nii.gz is empty",
    ]
    assert evaluator.failures["long"].endswith("\n  and 3 more")


def test_full_disk_stops_the_run_whether_it_is_met_in_preparing_or_in_writing(evaluator_of, written):
    for full in ("full", "disk"):
        told = r"(?s)1 of 3 patients failed.*\nThen the run was stopped: .*no space left on device\nNot reached: 1 of 3"
        with pytest.raises(InputError, match=told):
            evaluator_of("a", full, "b").run()
        assert [patient for patient, _ in written] == ["a"]
        written.clear()


def test_patient_at_whom_the_network_fails_is_passed_over(evaluator_of, written):
    with pytest.raises(InputError, match="1 of 3 patients failed:\n  b: OutOfMemoryError: tried to allocate 90 GiB"):
        evaluator_of("a", "b", "c", network=Network(fails_at=2)).run()
    assert [patient for patient, _ in written] == ["a", "c"]


def test_failures_are_told_where_the_disk_has_no_room_for_the_tables_either(evaluator_of):
    evaluator = evaluator_of("a", "empty")

    @evaluator.on(Events.COMPLETED)
    def write_table():
        raise OSError(errno.ENOSPC, "No space left on device", "cohort.csv")

    with pytest.raises(
        InputError, match=r"1 of 2 patients failed:\n  empty: .*\nThen the run was stopped: .*cohort\.csv"
    ):
        evaluator.run()


def test_reason_of_a_failure_holds_nothing_that_a_table_cannot_hold_or_a_terminal_obeys():
    said = "scan \x1b[2J\udcfc.nii is empty:\n  100 %"
    assert describe_failure(InputError(said)) == "scan \ufffd[2J\ufffd.nii is empty:\n  100 %"


def test_cohort_of_failures_alone_ends_with_all_of_them(evaluator_of, written):
    with pytest.raises(InputError, match="2 of 2 patients failed"):
        evaluator_of("empty1", "empty2").run()
    assert written == []


def test_failure_is_logged_when_it_happens(evaluator_of, caplog):
    with caplog.at_level(logging.ERROR, logger="islesnet.cohort"), pytest.raises(InputError):
        evaluator_of("empty", "b").run()
    assert [record.getMessage() for record in caplog.records if record.name == "islesnet.cohort"] == [
        "empty: empty.nii.gz is empty"
    ]


def test_second_run_begins_without_the_failures_of_the_first(evaluator_of):
    evaluator = evaluator_of("a", "b", network=Network(fails_at=1))
    with pytest.raises(InputError):
        evaluator.run()
    evaluator.run()
    assert evaluator.failures == {}


def test_stopping_by_the_user_stops_the_cohort(evaluator_of, written):
    class Stopped(Network):
        def forward(self, image):
            raise KeyboardInterrupt

    evaluator = evaluator_of("a", "b", network=Stopped())
    with pytest.raises(KeyboardInterrupt):
        evaluator.run()
    assert written == []


def test_dataset_hands_on_the_reason_in_place_of_the_data():
    dataset = CohortDataset(cases("a", "empty"), Compose([Lambda(load)]))
    assert len(dataset) == 2
    assert set(dataset[0]) == {"patient", "image", "label", "names"}
    assert dataset[1] == {"patient": "empty", "failure": "empty.nii.gz is empty"}


def test_failure_calls_the_patients_folders_by_the_pseudonym():
    def refuse(item):
        raise InputError(f"{item['folder']}: no scan; --dwi {item['dwi']} and {item['folder']}/T1 were looked at")

    item = {"patient": "case-12", "folder": "/data/DOE^JOHN/mr", "dwi": "/data/DOE^JOHN/IM1"}
    dataset = CohortDataset([item], Compose([Lambda(refuse)]))
    assert dataset[0]["failure"] == "no scan; --dwi case-12/IM1 and case-12/T1 were looked at"


def test_folder_of_a_series_and_one_of_odd_bytes_are_called_by_the_pseudonym():
    def refuse(item):
        raise InputError(f"{item['dwi']}/IM0001: is cut short")

    for folder in ("/data/Mueller_Hans", "/data/M\udcfcller"):
        item = {"patient": "case-1", "dwi": f"{folder}/series5"}
        assert CohortDataset([item], Compose([Lambda(refuse)]))[0]["failure"] == "case-1/series5/IM0001: is cut short"


def test_folder_of_a_series_that_is_there_is_called_by_the_pseudonym_itself(tmp_path):
    def refuse(item):
        raise InputError(f"{item['dwi']} holds scans of 2 patients")

    (tmp_path / "pool/Mueller_Hans").mkdir(parents=True)
    item = {"patient": "case-1", "dwi": str(tmp_path / "pool/Mueller_Hans")}
    assert CohortDataset([item], Compose([Lambda(refuse)]))[0]["failure"] == "case-1 holds scans of 2 patients"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("/data/out/p1/report.html", "p1/report.html"),
        ("/mnt/data/out/x", "/mnt/data/out/x"),
        ("/data/outer/x", "p1/outer/x"),
        ("/data/p1_dwi.nii.gz", "p1/p1_dwi.nii.gz"),
        ("/data/p1", "p1/p1"),
    ],
)
def test_results_are_told_by_their_place_and_not_as_a_patients_scans(place, told):
    def refuse(item):
        raise InputError(f"cannot write {place}: no space left")

    item = {"patient": "p1", "dwi": "/data/p1_dwi.nii.gz"}
    dataset = CohortDataset([item], Compose([Lambda(refuse)]), output_dir="/data/out")
    assert dataset[0]["failure"] == f"cannot write {told}: no space left"


@pytest.mark.parametrize(
    "output_dir", ["/pool", "/pool/raw", "/pool/raw/Mueller_Hans", "/pool/raw/Mueller_Hans/out", "/else", "/o\udcff"]
)
def test_wherever_the_results_go_no_failure_has_the_name_of_a_patients_folder(output_dir):
    def refuse(item):
        raise InputError(f"{item['dwi']} and {output_dir}/case-1/report.html; choose another folder than {output_dir}")

    item = {"patient": "case-1", "folder": "/pool/raw/Mueller_Hans", "dwi": "/pool/raw/Mueller_Hans/dwi.nii.gz"}
    failure = CohortDataset([item], Compose([Lambda(refuse)]), output_dir=output_dir)[0]["failure"]
    assert failure.startswith("case-1/dwi.nii.gz and ") and "case-1/report.html" in failure
    assert "Mueller" not in failure and failure.isprintable()


def test_results_typed_as_a_relative_path_do_not_tell_the_name_of_a_patients_folder(tmp_path, monkeypatch):
    def refuse(item):
        raise InputError("raw/Mueller_Hans/case-1 cannot be written; choose another folder than raw/Mueller_Hans")

    monkeypatch.chdir(tmp_path)
    item = {"patient": "case-1", "folder": str(tmp_path / "raw/Mueller_Hans")}
    dataset = CohortDataset([item], Compose([Lambda(refuse)]), output_dir="raw/Mueller_Hans")
    assert "Mueller" not in dataset[0]["failure"]


def test_failure_after_loading_calls_the_patients_folders_by_the_pseudonym_too(evaluator_of):
    class Vanished(Network):
        def forward(self, image):
            raise InputError("/archive/Mustermann_Erika/a.nii.gz: does not exist")

    evaluator = evaluator_of("a", network=Vanished(), folder="/archive/Mustermann_Erika")
    with pytest.raises(InputError, match=r"a: a/a\.nii\.gz: does not exist"):
        evaluator.run()
    assert "Mustermann" not in evaluator.failures["a"]


def test_items_of_a_datalist_are_taken_as_cases_are():
    items = [case.item() | {"digest": "0123"} for case in cases("a", "empty")]
    dataset = CohortDataset(items, Compose([Lambda(load)]))
    assert set(dataset[0]) == {"patient", "image", "label", "names"}
    assert dataset[1] == {"patient": "empty", "failure": "empty.nii.gz is empty"}
    assert items[0]["digest"] == "0123"


def test_cohort_without_a_patient_is_refused(evaluator_of):
    with pytest.raises(InputError, match="There is no patient"):
        evaluator_of().run()


def test_reason_is_that_of_the_first_error_in_a_chain():
    with pytest.raises(RuntimeError) as caught:
        Compose([Lambda(load)])(cases("torn")[0].item())
    assert describe_failure(caught.value) == "EOFError: Compressed file ended before the end-of-stream marker"
    assert describe_failure(InputError("mend me")) == "mend me"
    assert describe_failure(ZeroDivisionError("division by zero")) == "ZeroDivisionError: division by zero"


@pytest.fixture
def cohort_of(tmp_path, write_volume):
    """A cohort that is written as the bundle does it; a new one is a new run. The patients loaded are noted."""
    (tmp_path / "model.pt").write_bytes(b"weights")

    def make(*patients, again=False):
        loaded = []

        def read(item):
            loaded.append(item["patient"])
            image = torch.ones(1, 16, 14, 12)
            reference = MetaTensor(image, meta={"filename_or_obj": item["dwi"]})
            return item | load(item) | {"image": image, "reference": reference, "probability": image}

        dataset = CohortDataset(
            [Case(patient, {"dwi": tmp_path / f"{patient}.nii.gz"}) for patient in patients],
            Compose([Lambda(read)]),
            finished=FinishedPatients(tmp_path / "out", tmp_path / "model.pt", {"threshold": 0.5}, again),
        )
        evaluator = CohortEvaluator(
            device=torch.device("cpu"),
            val_data_loader=DataLoader(dataset, batch_size=1, num_workers=0),
            network=Network(),
            postprocessing=Compose([AsDiscreted(keys="pred", argmax=True), SaveLesionsd("pred", tmp_path / "out")]),
        )
        return evaluator, loaded

    for patient in ("a", "b", "c"):
        write_volume(f"{patient}.nii.gz")
    return make


def test_patient_that_is_finished_is_not_loaded_again(cohort_of, tmp_path, caplog):
    cohort_of("a", "b")[0].run()
    evaluator, loaded = cohort_of("a", "b", "c")
    with caplog.at_level(logging.INFO, logger="islesnet.cohort"):
        evaluator.run()
    assert (loaded, evaluator.finished, evaluator.failures) == (["c"], ["a", "b"], {})
    assert caplog.messages.count("2 of 3 patients were finished before.") == 1


def test_finished_patient_whose_mask_was_changed_is_told_and_done_anew_once_it_is_moved(cohort_of, tmp_path, caplog):
    cohort_of("a", "b")[0].run()
    mask = tmp_path / "out/a_lesion.nii.gz"
    mask.write_bytes(b"corrected by hand")

    cohort_of("a", "b")[0].run()
    assert [message for message in caplog.messages if "changed" in message] == [f"a: {EDITED_MASK}"]
    assert mask.read_bytes() == b"corrected by hand"
    mask.rename(tmp_path / "corrected.nii.gz")
    evaluator, loaded = cohort_of("a", "b")
    evaluator.run()

    assert (loaded, evaluator.finished) == (["a"], ["b"])
    assert len([message for message in caplog.messages if "changed" in message]) == 1


def test_digest_is_taken_once_a_patient(cohort_of, monkeypatch):
    cohort_of("a")[0].run()
    evaluator, _ = cohort_of("a", "b")
    digested, digest = [], FinishedPatients.digest
    monkeypatch.setattr(
        FinishedPatients, "digest", lambda self, item: digested.append(item["patient"]) or digest(self, item)
    )
    evaluator.run()
    assert digested == ["a", "b"]


def test_run_of_finished_patients_alone_ends_well_and_loads_nothing(cohort_of):
    cohort_of("a", "b")[0].run()
    evaluator, loaded = cohort_of("a", "b")
    evaluator.run()
    assert (loaded, evaluator.finished) == ([], ["a", "b"])


def test_changed_patient_is_segmented_again_and_all_are_on_request(cohort_of, write_volume):
    cohort_of("a", "b")[0].run()
    write_volume("b.nii.gz", torch.ones(16, 14, 12).numpy())
    changed, loaded = cohort_of("a", "b")
    changed.run()
    assert loaded == ["b"]
    everybody, loaded = cohort_of("a", "b", again=True)
    everybody.run()
    assert loaded == ["a", "b"] and everybody.finished == []


def test_failures_are_told_beside_finished_patients_and_are_tried_again(cohort_of):
    for _ in range(2):
        evaluator, loaded = cohort_of("a", "empty")
        with pytest.raises(InputError, match=r"^1 of 2 patients failed:\n  empty: empty\.nii\.gz is empty$"):
            evaluator.run()
    assert (loaded, evaluator.finished) == (["empty"], ["a"])


def test_stamp_arrives_in_the_numbers_as_the_word_it_was(cohort_of, tmp_path):
    evaluator, _ = cohort_of("a")
    evaluator.run()
    written = json.loads((tmp_path / "out/a_lesion.json").read_text())["made_of"]
    dataset = evaluator.data_loader.dataset
    assert written == dataset.finished.digest(dataset.data[0])


def test_weights_that_cannot_be_read_are_the_reason_of_every_patient(cohort_of, tmp_path):
    evaluator, loaded = cohort_of("a", "b")
    (tmp_path / "model.pt").unlink()
    with pytest.raises(InputError, match=r"2 of 2 patients failed:\n  a: .*model\.pt"):
        evaluator.run()
    assert loaded == []
