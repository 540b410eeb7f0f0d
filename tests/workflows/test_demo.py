import nibabel

from workflows import demo
from workflows.baselines import choose_threshold, score_baselines


def test_demo_empties_no_folder_but_its_own(tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()

    assert demo.main(["--folder", str(tmp_path)]) == 1

    assert capsys.readouterr().err == (
        f"demo: {tmp_path} is not empty and was not made by an earlier demo; name another folder with --folder\n"
    )
    assert (tmp_path / "thesis.tex").exists()


def test_demo_s_row_has_the_mask_and_the_threshold_beside_it(cases, tmp_path):
    case = cases[2]
    nibabel.save(nibabel.load(case.label), tmp_path / f"{case.patient}_lesion.nii.gz")

    row = demo.score(case, tmp_path, choose_threshold(cases[:2]))

    assert row["Dice"] == 1.0
    assert row["DWI threshold"] == score_baselines(cases[:2], [case])["DWI threshold"]["dice"][0]
    assert row["(empty mask)"] < row["accuracy"] == 1.0
