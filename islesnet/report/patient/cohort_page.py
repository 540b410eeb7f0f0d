"""The page of a cohort: a row a patient, those that failed with their reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from islesnet.counts import counted
from islesnet.report.csv_files import write_csv
from islesnet.report.page import Page
from islesnet.report.patient.findings import TRUST, say_ml
from islesnet.report.wording import MISSING, say

# As many digits of a checksum tell any two networks apart.
SHOWN_OF_CHECKSUM = 12

PATIENTS_TEXT = (
    "A name leads to the patient's report, where there is one. A mask passed the checks (is_trusted in cohort.csv) "
    "where no reason was found against trusting it, such as scans unlike the training's, a cut head, an implausible "
    "volume or too few sequences. That does not say that the mask is right: it is yours to check."
)
FAILED_TEXT = (
    "The latest run made no mask of these patients; one that lies there is of an earlier run, or somebody's, and has "
    "no row below. Mend what is said and run the cohort again."
)


@dataclass(frozen=True)
class CohortRow:
    """What a cohort's table says of one patient.

    Args:
        patient: pseudonym.
        total_volume_ml: of the mask; None where the patient failed.
        lesions: how many; None likewise.
        is_trusted: False where the mask is not to be relied on; None where nobody looked.
        reasons: why it is not.
        notes: sentences to be aware of.
        report: path of the patient's page, relative to the cohort's folder; None where there is none.
        failure: why the latest run made no mask; empty where it made one.
        stamps: words in capitals that keep this patient from being mistaken, e.g. "PHANTOM".
        weights: SHA-256 of the network's weights; empty where it is not known.
        is_edited: somebody changed the mask after the run, and the numbers are of the mask before.
    """

    patient: str
    total_volume_ml: float | None = None
    lesions: int | None = None
    is_trusted: bool | None = None
    reasons: Sequence[str] = ()
    notes: Sequence[str] = ()
    report: str | None = None
    failure: str = ""
    stamps: Sequence[str] = ()
    weights: str = ""
    is_edited: bool = False


def write_cohort_page(
    folder: Path, rows: Sequence[CohortRow], stamps: Sequence[str] = (), is_finished: bool = True
) -> Path:
    """Write ``cohort.html`` and ``cohort.csv``, a row a patient in the order given.

    Args:
        folder: made where it is absent.
        rows: of all patients, the failed among them.
        stamps: words in capitals that keep the run from being mistaken; the page bears the patients' own too.
        is_finished: False while patients are still to come, which the page then says.

    Returns:
        The page's path.

    Raises:
        OSError: the folder cannot be written to.
    """
    write_csv(cohort_frame(rows, stamps), folder / "cohort.csv")
    done, failed = [row for row in rows if not row.failure], [row for row in rows if row.failure]
    doubted = [row for row in done if row.is_trusted is False]
    all_stamps = dict.fromkeys([*stamps, *(stamp for row in rows for stamp in row.stamps)])
    page = Page("Stroke lesions of a cohort", tuple(all_stamps), running_title=f"Cohort of {len(rows)}")
    edited = sum(row.is_edited for row in done)
    page.lead(("" if is_finished else "So far, ") + _sentence(len(rows), len(failed), len(doubted), edited))
    page.facts(_facts(done, failed, doubted))
    if failed:
        page.section("Failed", FAILED_TEXT)
        page.table(pd.DataFrame([{"Patient": row.patient, "Why": row.failure} for row in failed]), "Reasons.")
    if done:
        page.section("Patients", PATIENTS_TEXT)
        page.table(_table(done), "Also in cohort.csv.", [_link(row.report) for row in done])
    return page.write(folder / "cohort.html")


def cohort_frame(rows: Sequence[CohortRow], stamps: Sequence[str] = ()) -> pd.DataFrame:
    """Give a row a patient, the numbers unrounded; ``weights`` is the beginning of their SHA-256.

    A last column ``stamp`` comes where any patient bears one.

    Args:
        rows: of all patients, the failed among them.
        stamps: of the run, which every row bears beside its own: real and synthetic patients may lie in one folder.
    """
    columns = [
        "patient",
        "total_volume_ml",
        "lesions",
        "is_trusted",
        "reasons",
        "notes",
        "report",
        "weights",
        "failure",
    ]
    cells = [
        (
            row.patient,
            row.total_volume_ml,
            row.lesions,
            row.is_trusted,
            " ".join(row.reasons),
            " ".join(row.notes),
            row.report,
            row.weights[:SHOWN_OF_CHECKSUM],
            row.failure,
        )
        for row in rows
    ]
    frame = pd.DataFrame(cells, columns=columns).astype({"lesions": "Int64"})
    borne = [" ".join(dict.fromkeys([*stamps, *row.stamps])) for row in rows]
    return frame.assign(stamp=borne) if any(borne) else frame


def _facts(
    done: Sequence[CohortRow], failed: Sequence[CohortRow], doubted: Sequence[CohortRow]
) -> dict[str, tuple[str, str]]:
    volumes = pd.Series([row.total_volume_ml for row in done], dtype=float).dropna()
    return {
        "Patients": (str(len(done) + len(failed)), "in all"),
        "Failed": (str(len(failed)), "in the latest run, see below" if failed else "in the latest run"),
        "Not to be trusted": (str(len(doubted)), "masks, see the reasons"),
        "Without a lesion": (str(sum(row.lesions == 0 for row in done)), "empty masks"),
        "Median volume": (say_ml(float(volumes.median())) if len(volumes) else say(None), "of the masks"),
    }


def _sentence(patients: int, failed: int, doubted: int, edited: int) -> str:
    parts = [f"{patients - failed} of {patients} patients were segmented"]
    parts += [f"{doubted} of these masks {'is' if doubted == 1 else 'are'} not to be trusted"] if doubted else []
    if edited:
        were, rows_are = ("mask was", "its row is") if edited == 1 else ("masks were", "their rows are")
        parts.append(f"{edited} {were} changed after the run, and {rows_are} of the mask before")
    parts += [f"{counted(failed, 'patient')} failed"] if failed else []
    return "; ".join(parts) + "."


def _table(rows: Sequence[CohortRow]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Patient": row.patient,
            "Volume (ml)": say(row.total_volume_ml, 2),
            "Lesions": say(row.lesions, 0),
            "Passed the checks": TRUST[row.is_trusted],
            "Reasons": " ".join(row.reasons) or MISSING,
            "Notes": " ".join(row.notes) or MISSING,
            "Stamps": " ".join(row.stamps) or MISSING,
            "Weights": row.weights[:SHOWN_OF_CHECKSUM] or MISSING,
        }
        for row in rows
    )
    # What holds for none, or for all alike, needs no column: a phone is narrow, and the stamps of all stand on top.
    unneeded = {
        "Reasons": not any(row.reasons for row in rows),
        "Notes": not any(row.notes for row in rows),
        "Stamps": len({tuple(row.stamps) for row in rows}) == 1,
        "Weights": len({row.weights for row in rows}) == 1,
    }
    return table.drop(columns=[name for name, is_unneeded in unneeded.items() if is_unneeded])


def _link(report: str | None) -> str | None:
    # With ./ in front and everything else encoded, no name of a folder is taken for a scheme or a script.
    return None if report is None else f"./{quote(report)}"
