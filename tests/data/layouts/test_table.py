import pytest

from islesnet.data import check_cases, detect_layout, find_cases
from islesnet.errors import InputError


@pytest.fixture
def table(tmp_path):
    for name in ("a dwi.nii", "a_flair.nii", "b.nii", "mask.nii"):
        (tmp_path / name).touch()

    def write(text, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        ("patient,age,dwi,flair,label\np10,71,a dwi.nii,a_flair.nii,mask.nii\n\np2,80,b.nii,,\n", "t.csv", "utf-8"),
        (
            "\ufeffPatient;DWI_b1000;FLAIR;Mask\r\np10;a dwi.nii;a_flair.nii;mask.nii\r\np2;b.nii;;\r\n",
            "t.CSV",
            "utf-8",
        ),
        ("subject_id\tdwi\tT2_FLAIR\tlesion\np10\t a dwi.nii \ta_flair.nii\tmask.nii\np2\tb.nii\n", "t.tsv", "utf-8"),
    ],
)
def test_rows_become_cases(table, text, name, encoding):
    path = table(text, name, encoding)
    assert detect_layout(path) == "csv"
    cases = find_cases(path)
    assert {case.patient: {key: file.name for key, file in case.files.items()} for case in cases} == {
        "p2": {"dwi": "b.nii"},
        "p10": {"dwi": "a dwi.nii", "flair": "a_flair.nii", "label": "mask.nii"},
    }


def test_absolute_paths_are_taken_as_they_are(table, tmp_path):
    path = table(f"patient,t1\nx,{tmp_path / 'b.nii'}\n")
    assert find_cases(path)[0].sequences["t1"] == tmp_path / "b.nii"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,age\nx,3\n", "at least one of dwi, t1, t2, flair are needed; the columns are patient, age"),
        ("name,dwi\nx,b.nii\n", "a column 'patient'"),
        ("", "the columns are none"),
        ("patient,dwi\nx,gone.nii\n", r"line 2: 'gone.nii' does not exist"),
        ("patient,dwi,label\nx,,mask.nii\n", r"line 2: patient 'x' has no file"),
        ("patient,dwi\n,b.nii\n", r"line 2: the patient's name is empty"),
        ("patient,dwi\nx,b.nii\nx,a dwi.nii\n", "'x' comes twice"),
        ("patient,dwi,trace\nx,b.nii,b.nii\n", "two columns are the dwi"),
        ("patient,dwi\n../x,b.nii\n", "becomes part of file names"),
        ("patient,dwi\n", r"table\.csv: no patient found: no row follows the columns' names$"),
        ("patient,dwi\nx,.\n", r"line 2: '\.' is a folder; a table names a file"),
        ("\0\x1b[31m\n\a", "the columns are \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\\[31m$"),
        (f"patient,dwi\nx,{'a' * 200_000}\n", "line 2: not a table"),
    ],
)
def test_defective_table_is_refused_with_the_line(table, text, message):
    with pytest.raises(InputError, match=message):
        find_cases(table(text))


def test_patient_whose_file_is_missing_does_not_stop_those_who_go_on_with_the_others(table, caplog):
    path = table("patient,dwi,flair,label\nx,gone.nii,,\ny,b.nii,gone.nii,mask.nii\nz,b.nii,,\nv,,,mask.nii\nw,,,\n")

    cases = find_cases(path, with_lost=True)

    named = {case.patient: {role: file.name for role, file in case.files.items()} for case in cases}
    assert named == {
        "x": {"dwi": "gone.nii"},
        "y": {"dwi": "b.nii", "flair": "gone.nii", "label": "mask.nii"},
        "z": {"dwi": "b.nii"},
    }
    left_out = [
        said for said in caplog.messages if said.endswith("has no file for any of dwi, t1, t2, flair; left out")
    ]
    assert ["'v'" in said or "'w'" in said for said in left_out] == [True, True]
    assert [str(problem) for problem in check_cases(cases) if problem.file and problem.file.name == "gone.nii"] == [
        f"error: patient {patient} ({path.parent / 'gone.nii'}): does not exist" for patient in "xy"
    ]


def test_file_that_was_not_fetched_is_lost(table, tmp_path):
    (tmp_path / "annexed.nii").symlink_to("/nowhere/annexed")

    (case,) = find_cases(table("patient,dwi,flair\nx,b.nii,annexed.nii\n"), with_lost=True)

    assert (list(case.sequences), case.lost) == (["dwi"], ("flair",))


def test_table_of_nobody_with_a_scan_is_refused_as_a_table(table):
    with pytest.raises(InputError, match=r"table\.csv: no patient found\. Found there: table\.csv\. Understood is"):
        find_cases(table("patient,dwi\nx,\n"), with_lost=True)


def test_name_of_a_column_that_is_passed_over_sends_nothing_to_the_terminal(table, caplog):
    with caplog.at_level("INFO"):
        find_cases(table("patient,dwi,\x1b[31mage\nx,b.nii,3\n"))

    assert caplog.messages[0].endswith("passed over: \N{REPLACEMENT CHARACTER}[31mage")


@pytest.mark.parametrize(
    ("header", "column", "meant"),
    [
        ("patient,dwi,flar", "flar", "flair"),
        ("patient,dwi, FLAIRR ", "FLAIRR", "flair"),
        ("patient,dwii,flair", "dwii", "dwi"),
        ("patient,dwi,t2wl", "t2wl", "t2"),
        ("patient,dwi,lable", "lable", "label"),
        ("patient,dwi,lesoin", "lesoin", "label"),
        ("patient,dwi,stroke_mask", "stroke_mask", "label"),
    ],
)
def test_misspelt_column_of_volumes_is_refused_with_what_may_have_been_meant(header, column, meant, table):
    with pytest.raises(InputError) as refused:
        find_cases(table(f"{header}\nx,b.nii,\ny,b.nii,a_flair.nii\n"))

    assert f"the column {column!r} holds volumes and is not known; did you mean {meant!r}?" in str(refused.value)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("patient,flair,age,sex,site,session", "x,b.nii,71,f,3,lesion.1"),
        ("patient,flair,swi,adc,b0,T1_Gd,brain_mask", "x,b.nii,b.nii,b.nii,b.nii,b.nii,b.nii"),
        ("patient,flair,pwi,pdw,dir,dwib0,t2s,t2star,stir,fa,mag,b2000", "x,b.nii" + ",b.nii" * 10),
        ("patient,flair,flar2", "x,b.nii,b.nii"),  # the FLAIR is there
        ("patient,flair,dwii", "x,b.nii,"),
        ("patient,flair,dwii", "x,b.nii"),
        ("patient,flair,", "x,b.nii,"),
    ],
)
def test_other_columns_are_passed_over_and_named(header, row, table, caplog):
    with caplog.at_level("INFO"):
        (case,) = find_cases(table(f"{header}\n{row}\n"))

    assert list(case.files) == ["flair"]
    others = ", ".join(filter(None, header.split(",")[2:]))
    assert [said.partition(": ")[2] for said in caplog.messages] == (
        [f"columns that are passed over: {others}"] if others else []
    )


def test_table_in_another_encoding_is_refused(table):
    with pytest.raises(InputError, match="is not UTF-8 text"):
        find_cases(table("patient,dwi\nJörg,b.nii\n", encoding="latin-1"))
