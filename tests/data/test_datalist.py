import json
import os
from pathlib import Path

import nibabel
import pytest

import islesnet
from islesnet.data import Case, cases_in_datalist, make_way_for_datalist, read_datalist, stamps_of, write_datalist
from islesnet.errors import InputError
from islesnet.stamps import describe


@pytest.fixture
def sections(write_case):
    return {
        "training": [write_case("a b$(x)%'", 10), write_case("2", 20)],
        "validation": [write_case("3", 30, ("t1",))],
        "test": [],
        "unlabelled": [write_case("5", None)],
    }


@pytest.fixture
def written(sections, tmp_path):
    path = tmp_path / "datalist.json"
    write_datalist(path, sections, tmp_path, {"seed": 3, "layout": "folders", "volumes_ml": {"2": 1.28}})
    return path


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_datalist_says_what_it_holds(written, tmp_path):
    content = json.loads(written.read_text())
    assert {key: content[key] for key in ("name", "islesnet", "sequences", "seed", "layout")} == {
        "name": tmp_path.name,
        "islesnet": islesnet.__version__,
        "sequences": ["dwi", "t1", "flair"],
        "seed": 3,
        "layout": "folders",
    }
    assert content["training"][1] == {
        "patient": "2",
        "dwi": "2/dwi.nii.gz",
        "flair": "2/flair.nii.gz",
        "label": "2/label.nii.gz",
        "volume_ml": 1.28,
    }
    assert content["training"][0]["volume_ml"] == pytest.approx(10 * 0.064)
    assert "volume_ml" not in content["unlabelled"][0]
    assert str(tmp_path) not in written.read_text().replace(content["name"], "")
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_what_is_written_is_read(written, sections, tmp_path):
    assert cases_in_datalist(written) == sections
    items = read_datalist(written, "training")
    digests = [item.pop("digest") for item in items]
    assert items == [case.item() for case in sections["training"]]
    assert len(set(digests)) == 2
    assert read_datalist(written, "unlabelled")[0]["patient"] == "5"


def test_way_is_made_for_another_split_alone_and_under_the_first_free_name(written, sections, tmp_path):
    other = sections | {"training": sections["training"][:1], "test": sections["training"][1:]}
    before = written.read_bytes()

    assert make_way_for_datalist(written, sections) is None
    assert make_way_for_datalist(tmp_path / "absent.json", other) is None
    with pytest.raises(InputError, match=r"1 of 4 patients are in other sections \(2\).* --replace .* -o FILE"):
        make_way_for_datalist(written, other)
    for number in (1, 2):
        aside = make_way_for_datalist(written, other, replace=True)
        assert aside == tmp_path / f"datalist_earlier_{number}.json"
        assert aside.read_bytes() == before


def test_unreadable_datalist_is_not_written_over(written, sections):
    written.write_text("{")
    with pytest.raises(InputError, match=r"is not readable JSON.* --replace"):
        make_way_for_datalist(written, sections)


def test_data_set_may_lie_elsewhere_than_its_datalist(written, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    moved = written.rename(tmp_path / "elsewhere" / "list.json")
    monkeypatch.chdir(tmp_path)
    assert read_datalist(str(moved), "training", ".")[1]["dwi"] == str(tmp_path / "2" / "dwi.nii.gz")
    with pytest.raises(InputError, match="does not exist"):
        read_datalist(moved, "training")


def test_digest_tells_a_changed_file(written, tmp_path):
    before = read_datalist(written, "training")
    os.utime(tmp_path / "2" / "label.nii.gz", (1, 1))
    after = read_datalist(written, "training")
    assert [first["digest"] == second["digest"] for first, second in zip(before, after, strict=True)] == [True, False]


def test_empty_section_is_read_with_a_warning(written, caplog):
    assert read_datalist(written, "test") == []
    assert "section 'test' is empty" in caplog.text


def test_unknown_section_names_those_there_are(written):
    with pytest.raises(InputError, match="no section 'testing'; it has training, validation, test, unlabelled"):
        read_datalist(written, "testing")


def test_listed_file_that_is_missing_is_named(written, tmp_path):
    (tmp_path / "3" / "t1.nii.gz").unlink()
    with pytest.raises(InputError, match=r"the t1 of patient '3' does not exist: .*t1.nii.gz"):
        read_datalist(written, "validation")
    assert len(cases_in_datalist(written)["validation"]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["validation"].append(c["training"][1]), "'2' comes twice, in 'training' and 'validation'"),
        (lambda c: c["training"].append(c["training"][1]), "'2' comes twice, in 'training'"),
        (lambda c: c["training"][1].update(dwi="../2/dwi.nii.gz"), r"'\.\./2/dwi.nii.gz' leaves the data set"),
        (lambda c: c["training"][1].update(dwi="a/../../dwi.nii.gz"), "leaves the data set"),
        (lambda c: c["training"][1].update(label="/etc/passwd"), "leaves the data set"),
        (lambda c: c["training"][1].update(dwi=3), "'dwi' is not a path but 3"),
        (lambda c: c["training"][1].pop("patient"), 'entry 2: "patient" is missing'),
        (lambda c: c["test"].append({"patient": "9"}), "section 'test', entry 1: patient '9' has no sequence"),
    ],
)
def test_defective_datalist_is_refused(written, change, message):
    edit(written, change)
    with pytest.raises(InputError, match=message):
        read_datalist(written, "training")


def test_sessions_of_one_person_in_two_sections_are_a_leak(written):
    def rename(content):
        content["training"][0]["patient"] = "sub-1_ses-1"
        content["validation"][0]["patient"] = "sub-1_ses-2"

    edit(written, rename)
    with pytest.raises(InputError, match="sessions of 'sub-1' lie in 'training' and in 'validation'"):
        cases_in_datalist(written)


@pytest.mark.parametrize(("text", "message"), [("{", "not readable JSON"), ("[]", "is not a datalist")])
def test_file_that_is_no_datalist_is_refused(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        cases_in_datalist(path)


def test_missing_datalist_says_how_to_write_one(tmp_path):
    with pytest.raises(InputError, match=rf"`islesnet datalist {tmp_path}` writes one"):
        read_datalist(tmp_path / "no.json", "training")


def test_file_outside_the_data_set_is_not_written(sections, tmp_path):
    with pytest.raises(InputError, match=r"patient '3': .* does not lie in"):
        write_datalist(tmp_path / "x.json", {"test": sections["validation"]}, tmp_path / "2", {})
    assert not (tmp_path / "x.json").exists()


def test_patient_in_two_sections_is_not_written(sections, tmp_path):
    case = sections["validation"][0]
    with pytest.raises(InputError, match="'3' comes twice"):
        write_datalist(tmp_path / "x.json", {"training": [case], "test": [case]}, tmp_path, {})
    with pytest.raises(InputError, match="'test' cannot be both"):
        write_datalist(tmp_path / "x.json", {"test": [case]}, tmp_path, {"test": 1})


def test_failed_writing_leaves_the_former_datalist(written, sections, tmp_path, monkeypatch):
    former = written.read_text()

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_datalist(written, {"test": sections["validation"]}, tmp_path, {})
    assert written.read_text() == former
    assert list(tmp_path.glob(".*")) == []


def test_links_out_of_the_data_set_are_legal(tmp_path, write_volume):
    target = write_volume("store/object.nii")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dwi.nii").symlink_to(target)
    write_datalist(
        tmp_path / "set" / "list.json", {"test": [Case("1", {"dwi": tmp_path / "set/dwi.nii"})]}, tmp_path / "set", {}
    )
    assert read_datalist(tmp_path / "set" / "list.json", "test")[0]["dwi"] == str(tmp_path / "set" / "dwi.nii")


@pytest.mark.parametrize("stamps", [["PHANTOM", "LEAKY"], []])
def test_stamps_are_no_section(sections, tmp_path, stamps):
    path = tmp_path / "datalist.json"
    write_datalist(path, sections, tmp_path, {"stamps": stamps})
    assert stamps_of(path) == stamps
    assert list(cases_in_datalist(path)) == list(sections)


def test_datalist_that_names_no_stamp_has_none(written):
    assert stamps_of(written) == []


def test_datalist_of_stamped_scans_bears_their_stamps_after_its_own(sections, tmp_path):
    scan = nibabel.load(sections["validation"][0].sequences["t1"])
    scan.header["descrip"] = describe(["PHANTOM"])
    nibabel.save(scan, sections["validation"][0].sequences["t1"])

    write_datalist(tmp_path / "own.json", sections, tmp_path, {"stamps": ["QUICK"]})
    write_datalist(tmp_path / "none.json", sections, tmp_path, {"stamps": ["PHANTOM"]})

    assert stamps_of(tmp_path / "own.json") == ["QUICK", "PHANTOM"]
    assert stamps_of(tmp_path / "none.json") == ["PHANTOM"]


@pytest.mark.parametrize("stamps", ["PHANTOM", [1], [""], None])
def test_stamps_that_are_not_a_list_of_words_are_refused(written, stamps):
    edit(written, lambda content: content.update(stamps=stamps))
    with pytest.raises(InputError, match=r'"stamps" is .*a list of words is expected'):
        stamps_of(written)
