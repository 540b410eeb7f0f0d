import nibabel
import pytest
from matplotlib.figure import Figure

from islesnet.data import find_cases
from islesnet.phantom import PhantomSettings, write_dataset
from islesnet.report import write_csv
from workflows.baselines import score_baselines
from workflows.experiment import Experiment
from workflows.paper_figures import draw_figures
from workflows.systems import SYSTEMS


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 3, seed=1, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    return find_cases(folder)


@pytest.fixture
def panels(monkeypatch):
    """The names of the panels of every picture that was written, in their order."""
    names, write = [], Figure.savefig

    def savefig(figure, path, **options):
        names.append([axes.get_title(loc="left") for axes in figure.axes])
        write(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return names


def experiment(name, folder, cases):
    """A system that marks what the truth marks."""
    made = Experiment(folder / name, SYSTEMS[name], folder, folder / "datalist.json")
    made.results.mkdir(parents=True)
    for case in cases:
        nibabel.save(nibabel.load(case.label), made.results / f"{case.patient}_lesion.nii.gz")
    write_csv(score_baselines(cases, cases)["empty mask"], made.results / "scores.csv")
    return made


def test_figures_7_to_9_show_the_one_sequence_that_their_system_saw(cases, tmp_path, panels):
    names = ("paper_all", "paper_flair", "paper_dwi", "paper_t1")
    done = {name: experiment(name, tmp_path, cases) for name in names}

    figures = draw_figures(cases, done, tmp_path / "pictures", ("PHANTOM",))

    assert [path.stem for path in figures.pictures] == ["figure_2", "figure_7", "figure_8", "figure_9"]
    assert panels[1:] == [[name, f"Truth on {name}", f"Mask on {name}"] for name in ("FLAIR", "DWI", "T1")]
    assert [text.split(" with ")[-1] for text in figures.pictures.values()][1:] == [
        *("FLAIR alone.", "DWI alone.", "T1 alone.")
    ]


def test_figures_of_systems_that_were_not_trained_are_left_out(cases, tmp_path):
    figures = draw_figures(cases, {}, tmp_path / "pictures", ())
    assert [path.stem for path in figures.pictures] == ["figure_2"]
