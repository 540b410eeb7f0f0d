"""The phantoms of a training, made once and shared by those that are to be compared."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

import islesnet.phantom
from islesnet.data import Case, find_cases, lesion_volume_ml
from islesnet.errors import InputError
from islesnet.files import require_writable
from islesnet.phantom import WideCohort, write_wide_dataset
from islesnet.phantom.lesion_masks import MASK_PARTS
from islesnet.stamps import PHANTOM
from workflows.claims import alone_in, claim_folder
from workflows.command_line import say_step
from workflows.datasets import Patients

SPACING_MM = (1.4, 2.2)  # of the phantoms: around the working grid's 2 mm, so that they are resampled up and down
VALIDATION, TEST = 20, 24  # patients; the others are trained on


@dataclass(frozen=True)
class PhantomCohort:
    """The phantoms of a training, made once.

    Args:
        folder: of the phantoms, with a note of how they were drawn.
        patients: how many, `VALIDATION` + `TEST` of them to validate and test.
        seed: from which they are drawn.
        lesions: folder of lesion masks in MNI space; None grows all lesions.
        narrow: draw the training phantoms so that they all look like SISS.

    Raises:
        InputError: for too few patients.
    """

    folder: Path
    patients: int
    seed: int
    lesions: Path | None = None
    narrow: bool = False

    def __post_init__(self) -> None:
        if self.patients <= VALIDATION + TEST:
            raise InputError(
                f"--patients is {self.patients}: {VALIDATION + TEST} validate and test, so more are needed"
            )

    def decisive(self) -> dict[str, object]:
        """List the choices that the phantoms depend on."""
        return {"patients": self.patients, "seed": self.seed, "lesions": self.lesions, "narrow": self.narrow}

    def claim(self) -> None:
        """Note in the folder how its phantoms are drawn.

        Raises:
            InputError: where it holds phantoms that were drawn in another way, or in a way that is not known.
        """
        require_writable(self.folder)
        note = "drawn_with.json"
        if not (self.folder / note).is_file() and any(path.name.isdecimal() for path in self.folder.iterdir()):
            raise InputError(
                f"{self.folder} holds patients, but no {note} that says how they were drawn. Name another folder with "
                "--phantoms."
            )
        drawn_with = {**self.decisive(), "spacing_mm": SPACING_MM, "code of islesnet.phantom": code_checksum()}
        # Recorded because earlier versions let validation and test share masks.
        drawn_with["mask_parts"] = self.lesions and MASK_PARTS
        # A larger cohort extends a smaller one, so the count may change.
        del drawn_with["patients"]
        claim_folder(self.folder, note, drawn_with, option="--phantoms")

    def make(self) -> Patients:
        """Make the phantoms that are not there yet.

        Raises:
            InputError: as `claim`.
        """
        self.claim()
        appearance = "wide ones and narrow ones to train on" if self.narrow else "wide"
        say_step(f"{self.patients} synthetic patients of {SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm, {appearance}")
        with alone_in(self.folder, "--phantoms"), Progress() as bar:
            task = bar.add_task("Phantoms", total=self.patients)
            write_wide_dataset(self.folder, self.drawn, progress=lambda done, _: bar.update(task, completed=done))
            bar.update(task, completed=self.patients)  # those of an earlier run too
        cases = sorted(find_cases(self.folder), key=lambda case: int(case.patient))[: self.patients]
        return Patients(self.folder, cases, {case.patient: lesion_volume_ml(case) for case in cases}, (PHANTOM,))

    def is_skull_stripped(self, case: Case) -> bool:
        """Say whether a patient was drawn without skull and scalp."""
        return self.drawn.settings_of(int(case.patient)).is_skull_stripped

    @property
    def drawn(self) -> WideCohort:
        """The patients as islesnet draws them."""
        return WideCohort(self.patients, self.seed, SPACING_MM, self.lesions, VALIDATION, TEST, self.narrow)


def code_checksum() -> str:
    """Shorten the SHA-256 of the code that draws phantoms, which may draw others from the same seed when it changes."""
    sources = sorted(Path(islesnet.phantom.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


def split(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """Split phantoms by their number, as `WideCohort` does: they are drawn alike, so the first are as good as any."""
    return {
        "training": list(cases[VALIDATION + TEST :]),
        "validation": list(cases[:VALIDATION]),
        "test": list(cases[VALIDATION : VALIDATION + TEST]),
    }
