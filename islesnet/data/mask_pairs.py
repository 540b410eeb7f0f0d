"""Pair the masks of any system with the true ones, patient by patient, by what files and folders are called."""

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from islesnet.counts import first_of
from islesnet.data.case import Case
from islesnet.data.datalist import cases_in_datalist
from islesnet.data.layouts import detect_layout, find_cases
from islesnet.data.layouts.listing import entries, folders_in, volumes_in
from islesnet.data.mask_names import Kind, key_of, kind_of, match_names, patient_in
from islesnet.errors import InputError
from islesnet.volumes.file_names import natural_key, stem_of

logger = logging.getLogger(__name__)

_DEEPEST = 3  # <patient>/ses-1/anat/
_MISSING = ("refuse", "empty")


@dataclass(frozen=True)
class MaskPair:
    """A patient's mask and the truth.

    Args:
        patient: as the truth names it.
        prediction: the mask; None where there is none and it is to be scored as empty.
        truth: the expert's.
        case: the patient as the labelled data set or the datalist has it; None where the truth is masks alone.
    """

    patient: str
    prediction: Path | None
    truth: Path
    case: Case | None = None

    @property
    def probability(self) -> Path | None:
        """The map ``<patient>_probability.nii.gz`` beside the mask, or one called after it, where there is one."""
        if self.prediction is None:
            return None
        stem = stem_of(self.prediction.name) or ""
        called = [f"{name}_probability" if name else "probability" for name in (patient_in(stem), stem)]
        beside = (self.prediction.with_name(f"{name}.nii.gz") for name in called)
        return next((path for path in beside if path.is_file()), None)


def pair_masks(
    pred: Path, truth: Path, missing: str = "refuse", section: str | None = None, dataset_dir: Path | None = None
) -> list[MaskPair]:
    """Pair masks by patient, sorted naturally; a mask without a truth is left out with a warning.

    Understood are ``<patient>_lesion.nii.gz`` (islesnet), ``case_0001.nii.gz`` (nnU-Net), ``sub-1_ses-1_msk.nii.gz``
    (ISLES 2022) and ``<patient>/anything.nii.gz``, in every format that `islesnet.data.read_volume` reads. Case, and
    words such as lesion, mask, seg or pred, do not count in a patient's name.

    Args:
        pred: folder of a system's masks.
        truth: folder of true masks named in any of these ways, a labelled data set in a known layout, or a datalist.
        missing: "refuse", or "empty" to take a patient without a mask as one whose mask is empty.
        section: of the datalist, or of the datalist.json in the folder; all by default.
        dataset_dir: the folder that a datalist's paths are relative to; by default its own.

    Raises:
        InputError: where there is no mask, two of one patient on one side, or a truth without a mask.
    """
    if missing not in _MISSING:
        raise InputError(f"missing is {missing!r}; it can be {' or '.join(map(repr, _MISSING))}")
    truth = datalist_of(truth, section)
    predictions, cases = find_masks(pred), _find_labelled(truth, section, dataset_dir)
    truths = _labels_of(cases) if cases else find_masks(truth)
    partners = match_names(truths, predictions)
    alone = [name for name in predictions if name not in partners.values()]
    lacking = [patient for patient in truths if patient not in partners]
    if not partners:
        raise InputError(
            f"no mask in {pred} belongs to a patient of {truth}: "
            f"the masks are called {_listed(predictions)}, the patients {_listed(truths)}. Rename them, or "
            "segment with --name PATIENT"
        )
    if lacking and missing == "refuse":
        of_others = f"; without a truth there: {_listed(alone)}" if alone else ""
        choose = _choose_section(truth, set(partners)) if section is None else ""
        raise InputError(
            f"{pred} has no mask for {len(lacking)} of {len(truths)} patients of {truth}: {_listed(lacking)}"
            f"{of_others}; give --missing empty to score these as empty masks{choose}"
        )
    if alone:
        logger.warning("%d masks in %s have no truth and are not scored: %s", len(alone), pred, _listed(alone))
    if lacking:
        logger.warning("%d patients have no mask and are scored as empty: %s", len(lacking), _listed(lacking))
    found = {patient: predictions[name] for patient, name in partners.items()}
    return [MaskPair(patient, found.get(patient), truths[patient], cases.get(patient)) for patient in _sorted(truths)]


def find_masks(folder: Path) -> dict[str, Path]:
    """Find the masks in a folder by patient: files of it, or, where it holds none, one in each patient's folder.

    Raises:
        InputError: where it is not a folder, holds no mask, two of one patient, be it one in the patient's folder, or
            files of which some are named as masks and those of other patients are not.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is {'not a folder' if folder.exists() else 'not there'}; give a folder of masks")
    here = folder.absolute()
    files = _masks_of_each(volumes_in(here))
    named = [(patient_in(stem_of(path.name) or "") or here.name, path) for path in files]
    if files:
        named += _further_masks(here, [name for name, _ in named])
    else:
        named += [mask for child in folders_in(here) for mask in _masks_below(child, child.name)]
    if not named:
        seen = [entry.name for entry in entries(here)]
        raise InputError(
            f"{folder}: no mask found; expected <patient>_lesion.nii.gz, <patient>.nii.gz or <patient>/mask.nii.gz. "
            f"Found there: {_listed(seen) if seen else 'nothing'}"
        )
    return _each_once(named)


def datalist_of(path: Path, section: str | None) -> Path:
    """Give the datalist that a section is asked of: the folder's datalist.json, where a folder is named."""
    beside = _datalist_in(path)
    return beside if section is not None and beside.is_file() else path


def find_by_patient(path: Path, section: str | None = None, dataset_dir: Path | None = None) -> dict[str, Case]:
    """Find the cases of a data set or a datalist by patient.

    Args:
        path: the data set, or the datalist (.json).
        section: of the datalist; all of it by default.
        dataset_dir: the folder that the datalist's paths are relative to; by default its own.

    Raises:
        InputError: where there is none, none of a datalist's files is there, or a section is asked for that is not.
    """
    if path.suffix != ".json":
        if section is not None:
            raise InputError(f"{path} has no section {section!r}: sections are those of a datalist (.json)")
        return {case.patient: case for case in find_cases(path)}
    sections = cases_in_datalist(path, dataset_dir)
    if section is not None and section not in sections:
        raise InputError(f"{path} has no section {section!r}; it has {', '.join(sections) or 'none'}")
    chosen = sections.values() if section is None else [sections[section]]
    cases = {case.patient: case for own in chosen for case in own}
    files = [file for case in cases.values() for file in case.files.values()]
    if files and not any(file.is_file() for file in files):
        raise InputError(
            f"{path}: none of its {len(files)} files is there, e.g. {files[0]}; "
            "give the data set's folder with --dataset-dir"
        )
    return cases


def _find_labelled(truth: Path, section: str | None, dataset_dir: Path | None) -> dict[str, Case]:
    """Find the patients with a label where the truth is a data set or a datalist; none where it is masks alone."""
    if truth.suffix != ".json" and section is None and not _is_data_set(truth):
        return {}
    found = find_by_patient(truth, section, dataset_dir)
    cases = {name: case for name, case in found.items() if case.label is not None}
    if not cases and truth.suffix == ".json":
        raise InputError(f"{truth}: no patient{f' of {section!r}' if section else ''} has a label")
    return cases


def _labels_of(cases: Mapping[str, Case]) -> dict[str, Path]:
    return _each_once((name, case.label) for name, case in cases.items() if case.label is not None)


def _choose_section(truth: Path, patients: set[str]) -> str:
    """Say which section of the datalist to ask for; nothing where there is no datalist."""
    datalist = _datalist_in(truth)
    try:
        sections = cases_in_datalist(datalist)
    except InputError:
        sections = {}
    for name, cases in sections.items():
        if {case.patient for case in cases if case.label is not None} == patients:
            return f". The masks are just those of the section {name!r} of {datalist}: give --section {name}"
    return ", or --section for a part of the datalist" if datalist == truth else ""


def _datalist_in(path: Path) -> Path:
    return path if path.suffix == ".json" else path / "datalist.json"


def _is_data_set(path: Path) -> bool:
    """Tell whether a path holds images of a known layout, and not masks alone."""
    if path.is_file():
        return True
    try:
        detect_layout(path)
    except InputError:
        return False
    return True


def _further_masks(folder: Path, patients: Iterable[str]) -> list[tuple[str, Path]]:
    """List what is named as a mask in folders of patients who have a mask beside those folders.

    What a run leaves in a patient's folder, scans and a brain mask, is not.
    """
    keys = {key_of(patient) for patient in patients}
    ordered = sorted(keys)
    masks: list[tuple[str, Path]] = []
    for child in folders_in(folder):
        begins = key_of(child.name)
        # Of the sorted keys, those that begin so follow where it would stand.
        place = bisect_left(ordered, begins)
        if place < len(ordered) and ordered[place].startswith(begins):
            masks += _masks_below(child, child.name)
    return [(name, path) for name, path in masks if key_of(name) in keys and _kind(path) == Kind.MASK]


def _masks_below(folder: Path, patient: str, depth: int = 1) -> Iterator[tuple[str, Path]]:
    """Give the masks in a patient's folder; where it holds none, those of the sessions and parts below."""
    files = _masks_among(volumes_in(folder))
    for path in files:
        # BIDS names the patient in the file, wherever it lies.
        yield patient_in(stem_of(path.name) or "") if path.name.startswith("sub-") else patient, path
    if files or depth == _DEEPEST:
        return
    for child in folders_in(folder):
        of_session = f"{patient}_{child.name}" if child.name.startswith("ses-") else patient
        yield from _masks_below(child, of_session, depth + 1)


def _masks_of_each(paths: Iterable[Path]) -> list[Path]:
    """Keep the masks of a folder in which each patient has files of their own, or which is one patient's.

    Raises:
        InputError: where it is not clear whether a file is a mask, and its patient has no other.
    """
    files = list(paths)
    masks = _masks_among(files)
    if any(not patient_in(stem_of(path.name) or "") for path in masks):
        return masks  # "lesion.nii.gz" names nobody: all files are one patient's
    patients = {_patient_key(path) for path in masks}
    unsure = [path.name for path in files if _kind(path) == Kind.UNSAID and _patient_key(path) not in patients]
    if unsure:
        raise InputError(
            f"{masks[0].parent}: {_listed(path.name for path in masks)} are named as masks; are {_listed(unsure)} "
            "masks of other patients? Name them likewise, or move them away"
        )
    return masks


def _patient_key(path: Path) -> str:
    return key_of(stem_of(path.name) or "")


def _kind(path: Path) -> Kind:
    return kind_of(stem_of(path.name) or "")


def _masks_among(paths: Iterable[Path]) -> list[Path]:
    """Keep the files named as masks; where none is, those that say nothing, then those named by a sequence."""
    kinds = {path: _kind(path) for path in paths}
    clearest = min(kinds.values(), default=Kind.OTHER)
    for path, kind in kinds.items():
        if clearest < kind == Kind.UNSAID:
            logger.warning("%s is passed over: others beside it are named as masks, it is not", path)
    return [path for path, kind in kinds.items() if kind == clearest != Kind.OTHER]


def _each_once(named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    masks: dict[str, Path] = {}
    first: dict[str, Path] = {}
    for name, path in named:
        if (other := first.setdefault(key_of(name), path)) is not path:
            raise InputError(
                f"two masks of patient {name!r}: {other} and {path}; keep one, or name their patients apart"
            )
        masks[name] = path
    return masks


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (natural_key(name), name))


def _listed(names: Mapping[str, object] | Iterable[str]) -> str:
    return first_of(_sorted(names), most=8)
