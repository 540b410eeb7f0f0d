"""The evaluation of a folder of masks: pair, score, sum up, report."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from islesnet.counts import counted, first_of
from islesnet.data import (
    Case,
    MaskPair,
    are_of_siss,
    find_by_patient,
    pair_masks,
    stamps_in_file,
    stamps_in_files,
    stamps_of,
)
from islesnet.data.mask_names import match_names
from islesnet.data.mask_pairs import datalist_of
from islesnet.errors import InputError
from islesnet.evaluation.results import Evaluation, Results, say_failed, table_of
from islesnet.evaluation.scoring import Scored, choose_thresholds, score_patient, score_threshold
from islesnet.files import read_json_object, require_writable
from islesnet.metrics import DWI_THRESHOLD, EMPTY_MASK
from islesnet.processes import usable_cores, work_through
from islesnet.result_files import require_replaceable
from islesnet.volumes.file_names import stem_of

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
# Each worker holds one patient, which takes most of a gigabyte for a large head.
MOST_WORKERS = 8
# Removed in this order: scores.csv marks a finished evaluation, so it goes first; provenance.json marks the folder as
# ours, so it goes last.
FILES = ("scores.csv", "summary.json", "baselines.csv", "reliability.csv", "report.html", "provenance.json")


def evaluate(
    pred: Path,
    truth: Path,
    output: Path,
    images: Path | None = None,
    missing: str = "refuse",
    section: str | None = None,
    dataset_dir: Path | None = None,
    stamps: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Evaluation:
    """Score the masks of any system against the truth, on the grid of the truth, and write a report.

    Written are ``scores.csv``, ``baselines.csv``, ``summary.json``, ``reliability.csv`` (where probability maps lie
    beside the masks), ``report.html`` with its pictures and tables, and ``provenance.json``. A patient who cannot be
    scored is named in the summary and the report; the others are scored.

    Beside the masks an empty one is scored; with images a threshold on the DWI too, chosen for each patient on all
    others, and the accuracy within the brain.

    Args:
        pred: folder of masks, as `islesnet.data.pair_masks` takes it.
        truth: folder of true masks, a labelled data set, or a datalist.
        output: folder for the results.
        images: data set or datalist with the images of these patients; by default the truth, where it is one.
        missing: "refuse" a patient without a mask, or take the mask as "empty".
        section: of the truth's datalist, or of the datalist.json in the truth's folder.
        dataset_dir: the folder that the datalists' paths are relative to; by default each one's own.
        stamps: words in capitals that keep the results from being mistaken; added are those of the datalists, of the
            scans and true masks, and those that islesnet wrote beside its masks.
        progress: called with (jobs done, jobs in all) after each patient.
        workers: processes; None takes one for every core that this process may use, eight at most.

    Raises:
        InputError: where masks cannot be paired, no patient could be scored, or the output cannot be written to or
            holds somebody's own files of these names.
    """
    began = time.time()
    listed = datalist_of(truth, section)
    _require_sense(pred, truth, output, dataset_dir, [listed, images])
    pairs = {pair.patient: pair for pair in pair_masks(pred, listed, missing, section, dataset_dir)}
    cases = _cases_of_truth(truth, pairs) if images is None else _cases(images, pairs, dataset_dir)
    require_writable(output)
    require_replaceable(output, FILES)
    for name in FILES:
        (output / name).unlink(missing_ok=True)
    crew = _Crew(workers or min(usable_cores(), MOST_WORKERS), len(pairs) * (2 if cases else 1), progress)
    scored, failed = _score_masks(pairs, cases, crew)
    baselines = _score_baselines(pairs, cases, scored, crew)
    crew.finish()
    all_stamps = _all_stamps(stamps, (listed, images), pairs, cases)
    results = Results(
        pairs=pairs,
        cases=cases or None,
        scored=scored,
        baselines=baselines,
        failed=failed,
        stamps=all_stamps,
        system=f"masks in {pred.absolute().name}",
        data=f"{counted(len(scored), 'patient')} of {truth.absolute().name}" + (f", {section}" if section else ""),
        is_siss=are_of_siss(
            [pair.truth for pair in pairs.values()], all_stamps, [len(case.sequences) for case in cases.values()]
        ),
    )
    settings = {
        "pred": pred,
        "truth": listed,
        "images": images,
        "missing": missing,
        "section": section,
        "dataset_dir": dataset_dir,
    }
    return results.write(output, settings, began)


class _Crew:
    """Does jobs in several processes, and reports how many are done."""

    def __init__(self, workers: int, total: int, progress: Callable[[int, int], None] | None) -> None:
        self.workers = workers
        self.done = 0
        self.total = total
        self.progress = progress

    def do(self, jobs: Mapping[str, Callable[[], Result]]) -> dict[str, Result]:
        """Give the results in the order of the jobs."""
        results = {}
        for name, result in work_through(jobs, self.workers):
            results[name] = result
            self.done += 1
            self._say()
        return {name: results[name] for name in jobs}

    def finish(self) -> None:
        if self.done < self.total:
            self.done = self.total
            self._say()

    def _say(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.total)


def _require_sense(
    pred: Path, truth: Path, output: Path, dataset_dir: Path | None, lists: Sequence[Path | None]
) -> None:
    """Refuse to write results among the masks or images, and a `dataset_dir` that belongs to no datalist."""
    given = [path for path in (pred, truth, dataset_dir, *lists) if path is not None]
    if output.resolve() in [(path.parent if path.suffix == ".json" else path).resolve() for path in given]:
        raise InputError(
            f"the results would lie among the masks or images in {output}, over files of the same names; name another"
        )
    if dataset_dir is not None and ".json" not in [path.suffix for path in lists if path is not None]:
        raise InputError(
            f"--dataset-dir {dataset_dir} says where a datalist's files lie; {truth} is no datalist (.json)"
        )


def _score_masks(
    pairs: Mapping[str, MaskPair], cases: Mapping[str, Case], crew: _Crew
) -> tuple[dict[str, Scored], dict[str, str]]:
    """Score every patient's mask, and say for whom that failed.

    Raises:
        InputError: where it failed for everybody.
    """
    results = crew.do({name: partial(score_patient, pair, cases.get(name)) for name, pair in pairs.items()})
    scored = {patient: result for patient, result in results.items() if isinstance(result, Scored)}
    failed = {patient: result for patient, result in results.items() if isinstance(result, str)}
    if not scored:
        raise InputError(f"none of the {len(pairs)} patients could be scored: {say_failed(failed)}")
    return scored, failed


def _score_baselines(
    pairs: Mapping[str, MaskPair], cases: Mapping[str, Case], scored: Mapping[str, Scored], crew: _Crew
) -> dict[str, pd.DataFrame]:
    """Score the empty mask and, where there are enough DWIs, the threshold that is best on a patient's others."""
    chosen = choose_thresholds({name: own.threshold_dice for name, own in scored.items() if own.threshold_dice})
    trials = {name: partial(score_threshold, pairs[name], cases[name], level) for name, level in chosen.items()}
    baselines = {EMPTY_MASK: table_of({patient: own.empty for patient, own in scored.items()})}
    return baselines | ({DWI_THRESHOLD: table_of(crew.do(trials))} if trials else {})


def _cases_of_truth(truth: Path, pairs: Mapping[str, MaskPair]) -> dict[str, Case]:
    """Give the images that lie beside the true masks; a datalist may list some that are not there."""
    cases = {patient: pair.case for patient, pair in pairs.items() if pair.case is not None}
    references = {patient: case.sequences[case.reference] for patient, case in cases.items()}
    found = {patient: case for patient, case in cases.items() if references[patient].is_file()}
    if not found:
        missing = next((f"{path} is not there" for path in references.values()), f"there are no images beside {truth}")
        logger.warning("%s, so no pictures and no DWI threshold; name the images with --images", missing)
    return found


def _cases(images: Path, pairs: Mapping[str, MaskPair], dataset_dir: Path | None) -> dict[str, Case]:
    """Find the images of the patients; those without are named in a warning."""
    cases = find_by_patient(images, dataset_dir=dataset_dir)
    names = match_names(pairs, cases)
    without = [patient for patient in pairs if patient not in names]
    if not names:
        raise InputError(f"{images} has images of none of the patients: there are {first_of(cases, most=8)}")
    if without:
        logger.warning(
            "%s has no images of %s: %s", images, counted(len(without), "patient"), first_of(without, most=8)
        )
    return {patient: cases[name] for patient, name in names.items()}


def _all_stamps(
    given: Sequence[str], lists: Sequence[Path | None], pairs: Mapping[str, MaskPair], cases: Mapping[str, Case]
) -> tuple[str, ...]:
    found = list(given)
    for path in lists:
        found += stamps_of(path) if path is not None and path.suffix == ".json" else []
    for pair in pairs.values():
        found += [*stamps_in_file(pair.truth), *_stamps_beside(pair.prediction)]
    found += stamps_in_files(cases.values())
    return tuple(dict.fromkeys(found))


def _stamps_beside(mask: Path | None) -> list[str]:
    """Read the stamps that islesnet wrote beside its mask."""
    if mask is None:
        return []
    stamps = read_json_object(mask.with_name(f"{stem_of(mask.name)}.json")).get("stamps")
    return [str(stamp) for stamp in stamps] if isinstance(stamps, list) else []
