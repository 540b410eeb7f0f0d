"""The report of one patient: a page that a doctor can read out, and everything in it as data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from islesnet.errors import InputError
from islesnet.files import write_json
from islesnet.report.csv_files import write_csv
from islesnet.report.page import Page
from islesnet.report.patient.findings import TRUST, PatientFindings, say_ml, say_mm
from islesnet.report.patient.lesions import LesionMeasures
from islesnet.report.patient.slices import PatientSlices, say_sequence
from islesnet.report.patient.volumes import ADC_WINDOW, PatientVolumes
from islesnet.report.wording import MISSING, say

MOST_LESIONS_DRAWN = 4
DECIMALS = 4

NO_LESION_TEXT = (
    "An empty mask is not proof that there is no infarct: a small or very early one may be missed. "
    "This is the slice with the most brain."
)
KEY_TEXT = (
    "Radiological convention: R is the patient's right, drawn on the left. Each lesion in the slice where its area is "
    "largest, outlined in orange; other lesions of that slice in blue. All pictures are on the grid of the mask, "
    "and a millimetre is as long down as across."
)
ADC_TEXT = (
    f"The ADC is drawn from 0, black, to {ADC_WINDOW[1]:g} × 10⁻³ mm²/s, white: an acute infarct is dark on it, and "
    "where the map has no value it is black."
)
REGISTRATION_TEXT = (
    "Edges of {reference} in orange over each sequence that was moved to it. They should run along the same borders: "
    "the brain's surface, the ventricles, the falx. A is the front."
)
BRAIN_TEXT = (
    "The outline of the brain mask in blue on {reference}: axial near the skull base, midway and near the vertex, then "
    "coronal and sagittal. What lies further outside was not looked at for lesions."
)
MODEL_TEXT = (
    "Small lesions come out worse than such a mean as a rule, large ones better. Look at every lesion: some may be "
    "none, and others may be missed. The weights that come with islesnet were trained on synthetic patients alone and "
    "have been scored on one person; their card, docs/README.md of the bundle, says how they did."
)
UNMEASURED_TEXT = (
    "How well this network does with these sequences was not measured, or not recorded beside its weights."
)
MEASURES_TEXT = (
    "A lesion is a component of voxels that share a face, an edge or a corner. The longest axial diameter is the "
    "longest straight line between two points of one cross-section in a slice (as in RECIST 1.1), from the outer edges "
    "of the voxels. Left and right are the patient's, parted by the brain's own plane of symmetry: nine tenths of a "
    "lesion's volume lie on the side that is named. A ratio is the lesion's mean intensity over the mean at the "
    "mirrored place on the other side, brain outside any lesion: 1 means alike, and an acute infarct's ADC ratio is "
    "below 1; a dash stands where too little of the mirrored place is brain without a lesion. A mean is over the "
    "voxels that have a value. Slices are numbered from 1 as the file stores them. Confidence is the network's mean "
    "probability over the lesion, at least the threshold from which a voxel is marked: it ranks lesions (of synthetic "
    "patients, with the weights that come with islesnet, better than their size does), and is not the chance that one "
    "is there."
)


def write_patient_report(
    folder: Path, findings: PatientFindings, volumes: PatientVolumes, moved: Sequence[str] = ()
) -> Path:
    """Write ``report.html``, which holds its pictures, and beside it ``patient.json`` and ``lesions.csv``.

    Numbers are written to four decimals of their unit.

    Args:
        folder: made where it is absent.
        findings: what the page says; its lesions are those of `measure_lesions` on the same volumes.
        volumes: what the page shows.
        moved: sequences that were registered to the reference, to be shown with its edges.

    Returns:
        The page's path.

    Raises:
        InputError: the findings are of another mask, or a moved sequence is not among the images.
        OSError: the folder cannot be written to.
    """
    count = volumes.lesions[1]
    if len(findings.lesions) != count:
        raise InputError(f"The findings have {len(findings.lesions)} lesions and the mask {count}; measure this mask.")
    absent = [name for name in moved if name not in volumes.drawn]
    if absent:
        raise InputError(f"{absent[0]!r} was moved but is not among the sequences: {', '.join(volumes.drawn)}.")
    write_json(folder / "patient.json", _rounded(findings.content()), ensure_ascii=False)
    write_csv(findings.frame().round(DECIMALS), folder / "lesions.csv", findings.stamps)
    return _Writer(findings, volumes, moved).page.write(folder / "report.html")


def lesion_table(lesions: Sequence[LesionMeasures]) -> pd.DataFrame:
    """Give a row a lesion as a reader sees it; a column that is known of none is left out."""
    columns: dict[str, list[str]] = {
        "Lesion": [str(lesion.number) for lesion in lesions],
        "Volume (ml)": [say(lesion.volume_ml, 2) for lesion in lesions],
        "Longest axial diameter (mm)": [say(lesion.diameter_mm, 0) for lesion in lesions],
        "Side": [lesion.side for lesion in lesions],
        "Slices": [_span(lesion) for lesion in lesions],
    }
    for sequence in lesions[0].intensity_ratios if lesions else ():
        columns[f"{say_sequence(sequence)} ratio"] = [say(lesion.intensity_ratios[sequence], 2) for lesion in lesions]
    columns["Mean ADC (10⁻³ mm²/s)"] = [say(lesion.mean_adc, 2) for lesion in lesions]
    columns["Confidence"] = [say(lesion.confidence, 2) for lesion in lesions]
    return pd.DataFrame({name: cells for name, cells in columns.items() if not cells or set(cells) != {MISSING}})


def _rounded(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _rounded(part) for name, part in content.items()}
    if isinstance(content, list):
        return [_rounded(part) for part in content]
    return round(content, DECIMALS) if isinstance(content, float) else content


def _span(lesion: LesionMeasures) -> str:
    first, last = lesion.first_slice, lesion.last_slice
    return str(first) if first == last else f"{first} to {last}"


class _Writer:
    """The page in the making; each method is a section."""

    def __init__(self, findings: PatientFindings, volumes: PatientVolumes, moved: Sequence[str]) -> None:
        self.findings = findings
        self.volumes = volumes
        self.slices = PatientSlices(volumes)
        title = f"Patient {findings.patient}"
        self.page = Page(f"Stroke lesions: {title[0].lower()}{title[1:]}", findings.stamps, running_title=title)
        self.headline()
        if findings.lesions:
            self.lesions()
            self.key_slices()
            self.montage()
        else:
            self.page.section("Key slices", self._of_slices(NO_LESION_TEXT))
            self.page.panels(self.slices.of_middle())
        if moved:
            self.registration(moved)
        if volumes.has_brain_mask:
            self.page.section("Brain mask", BRAIN_TEXT.format(reference=say_sequence(volumes.reference)))
            self.page.panels(self.slices.brain(), size="large")
        self.quality()
        self.page.section("How it was measured", MEASURES_TEXT)
        self.software()

    def headline(self) -> None:
        findings = self.findings
        if findings.is_trusted is False:
            self.page.alert("Do not trust this result", findings.reasons or ["No reason was given."])
        self.page.lead(findings.sentence())
        largest = findings.lesions[0] if findings.lesions else None
        size = MISSING if largest is None else say_ml(largest.volume_ml)
        line = "there is none" if largest is None else f"{largest.side}, {say_mm(largest.diameter_mm)} across"
        notes = len(findings.quality_notes)
        self.page.facts(
            {
                "Total volume": (say_ml(findings.total_volume_ml), "of the mask"),
                "Lesions": (str(len(findings.lesions)), "that do not touch"),
                "Largest lesion": (size, line),
                "Scans passed the checks": (
                    TRUST[findings.is_trusted],
                    "reasons above" if findings.reasons else "the mask is yours to check",
                ),
                "Quality notes": (str(notes), "on these scans, see Quality" if notes else "on these scans"),
            }
        )
        self.page.text(f"{findings.measured} {MODEL_TEXT}" if findings.measured else UNMEASURED_TEXT)

    def lesions(self) -> None:
        self.page.section("Lesions")
        self.page.table(lesion_table(self.findings.lesions), "Every lesion, the largest first; also in lesions.csv.")

    def key_slices(self) -> None:
        self.page.section("Key slices", self._of_slices(KEY_TEXT))
        for lesion in self.findings.lesions[:MOST_LESIONS_DRAWN]:
            where = f"{lesion.side}, slice {lesion.largest_slice}"
            self.page.subsection(f"Lesion {lesion.number}: {say_ml(lesion.volume_ml)}, {where}")
            self.page.panels(self.slices.of_lesion(lesion.number))
        left = len(self.findings.lesions) - MOST_LESIONS_DRAWN
        if left > 0:
            self.page.text(
                f"{left} smaller lesion{'s are' if left > 1 else ' is'} not drawn here; see all slices below."
            )

    def _of_slices(self, text: str) -> str:
        return text if self.volumes.adc is None else f"{text} {ADC_TEXT}"

    def montage(self) -> None:
        marked = int(self.volumes.mask.any(axis=(0, 1)).sum())
        panels = self.slices.montage()
        chosen = "Every" if len(panels) == marked else f"{len(panels)}, evenly spread, of the {marked}"
        which = f"{chosen} slice{'s' if chosen != 'Every' else ''} with lesion"
        reference = say_sequence(self.volumes.reference)
        self.page.section("All slices with lesion", f"{which} on {reference}, from the feet up, all lesions outlined.")
        self.page.panels(panels, size="small")

    def registration(self, moved: Sequence[str]) -> None:
        text = REGISTRATION_TEXT.format(reference=say_sequence(self.volumes.reference))
        self.page.section("Registration check", text)
        for sequence in moved:
            self.page.panels(self.slices.registration(sequence), size="large")

    def quality(self) -> None:
        self.page.section("Quality")
        if self.findings.quality_notes:
            self.page.points(self.findings.quality_notes)
        else:
            self.page.text("There are no notes on these scans.")
        if self.findings.is_trusted is None:
            self.page.text("Nothing was checked that would tell whether this mask is to be trusted.")

    def software(self) -> None:
        versions = self.findings.versions
        self.page.section("Software", "" if versions else "Versions were not recorded.")
        if versions:
            frame = pd.DataFrame({"Part": list(versions), "Version": [str(version) for version in versions.values()]})
            self.page.table(frame, "What made this page.")
