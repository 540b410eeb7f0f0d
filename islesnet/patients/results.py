"""Where a run writes what it makes of a patient, and that it replaces nothing but what a run made before."""

import logging
import os
import shutil
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from islesnet.data import Case
from islesnet.errors import InputError, require_switch
from islesnet.files import NO_TARGET, exists, is_folder, read_json_object, remove_parts
from islesnet.patients.folders import first_scan, is_volume, may_hold_sequence
from islesnet.patients.scans import RawScans
from islesnet.patients.source import is_same_source, source_of
from islesnet.result_files import (
    BESIDE_FOLDER,
    IN_FOLDER,
    MARK,
    corrected_in,
    earlier_results,
    has_results,
    is_mask_edited,
    made_in,
    mark,
)
from islesnet.scanner import ROLES

logger = logging.getLogger(__name__)

# What a patient's item names files or a folder by.
_FILES = ("folder", *ROLES, "brain", "label")


class BeginPatient(Transform):
    """Make room for a patient's results before anything is written; refuse where something would be lost by that.

    What an earlier run made of the patient is set aside, to `earlier_results`: it goes once the new mask is there, and
    a run that fails or is killed has lost nothing. The item gets "made_from", as `source_of` has it.

    Args:
        output_dir: folder of all results.
        has_folder: the patient gets a folder too, for registered scans and the report; without it nothing there is
            touched, and a report there, which would speak of another mask, is refused.
        again: results that were made of other scans are replaced too.

    Raises:
        InputError: for a switch that is neither True nor False. And patient by patient, where a scan is not there, the
            results would fall among the scans, something lies in their places that no run made (somebody's file, or a
            mask that somebody made or corrected), or results of other scans that have the patient's name.
    """

    def __init__(self, output_dir: str | Path, has_folder: bool = True, again: bool = False) -> None:
        self.output_dir = Path(output_dir)
        self.has_folder = require_switch(has_folder, "has_folder")
        self.again = require_switch(again, "again")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Make room for one patient's results."""
        inputs = [Path(data[key]) for key in _FILES if key in data]
        _require_there(inputs)
        made_from = source_of(data)
        results = _PatientResults(self.output_dir, str(data["patient"]), self.has_folder)
        results.require_replaceable(inputs, None if self.again else made_from)
        # Where no sequence is there any more, earlier results are all there is, and the reading is about to fail.
        if any(role in data for role in ROLES) or ("folder" in data and may_hold_sequence(Path(data["folder"]))):
            results.clear()
        return {**data, "made_from": made_from}


def require_apart(
    cases: Sequence[Case | RawScans | Mapping[str, str]], output_dir: str | Path, has_folder: bool = True
) -> None:
    """Refuse a folder for the results where everybody's would fall among the scans, before a file is written to it.

    Raises:
        InputError: saying so.
    """
    refusals = []
    for case in cases:
        item = case if isinstance(case, Mapping) else case.item()
        results = _PatientResults(Path(output_dir), item["patient"], has_folder)
        try:
            results.require_outside([Path(item[key]) for key in _FILES if key in item])
        except InputError as refusal:
            refusals.append(refusal)
    if refusals and len(refusals) == len(cases):
        raise refusals[0]


class _PatientResults:
    """The places of one patient's results.

    Args:
        output_dir: folder of all results.
        patient: who.
        has_folder: the patient's own folder is among them.
    """

    def __init__(self, output_dir: Path, patient: str, has_folder: bool) -> None:
        self.output_dir = output_dir
        self.patient = patient
        self.folder = output_dir / patient if has_folder else None

    def require_replaceable(self, inputs: Iterable[Path], made_from: str | None = None) -> None:
        """Refuse to write the patient's results where something would be lost by it.

        Args:
            inputs: files and folders that the new results are made from.
            made_from: the source of the new results; results from another source are then refused. None replaces them.

        Raises:
            InputError: where a result could replace a scan or be taken for one, this patient's or another's, or would
                replace somebody's work or another patient's results.
        """
        self.require_outside(inputs)
        self._require_ours()
        if made_from is not None:
            self._require_same_patients(made_from)
        self._require_permission()

    def clear(self) -> None:
        """Set aside what an earlier run made of the patient, as the scans may be different now, and mark the folder.

        What a run has not finished is removed. The numbers go last, so that a mask never lies there without them. The
        mark lets later runs replace what this one writes.
        """
        if self.folder is not None and not exists(self.folder / MARK):
            mark(self.folder)
        aside = earlier_results(self.output_dir, self.patient)
        is_whole = "islesnet" in read_json_object(self._beside("lesion.json"))
        if is_whole:
            if (aside / self._beside("lesion.json").name).is_file():  # of a whole run before that one
                shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(exist_ok=True)  # as a run that was killed while it moved them left it
            logger.info("%s: an earlier run's results are kept in %s until there are new ones", self.patient, aside)
        for path in filter(os.path.lexists, self._places()):
            if is_whole:
                _move(path, aside / path.name)
            else:
                path.unlink(missing_ok=True)
        if self.folder is not None:
            mark(self.folder)  # without checksums until the run has ended
            remove_parts(self.folder)
        remove_parts(self.output_dir, tuple(f".{self.patient}_{ending}" for ending in BESIDE_FOLDER))

    def require_outside(self, inputs: Iterable[Path]) -> None:
        """Refuse results that would be written among the scans."""
        home = self.output_dir.resolve()
        target = home if self.folder is None else self.folder.resolve()
        places = {path.resolve() for path in self._places()}
        for path in (path.resolve() for path in inputs):
            is_among = self.folder is not None and (path in (target, home) or target in path.parents)
            if is_among or path in places:
                raise InputError("The results would be written among the scans; choose another folder for them.")

    def _require_ours(self) -> None:
        there = next(self._not_from_a_run(), None)
        if there is not None:
            raise InputError(
                f"{there} is no result of an earlier run; choose another folder for the results, so that nothing is "
                "replaced or mistaken, or remove it."
            )
        report = self.output_dir / self.patient / "report.html"
        if self.folder is None and exists(report):
            raise InputError(f"{report} speaks of another run's mask; choose another folder for the results.")
        edited = next(self._edited_by_somebody(), None)
        if edited is not None:
            raise InputError(
                f"{edited} is not as a run of islesnet left it: somebody made or changed it, or its numbers are gone. "
                "So that no work is lost it stays there: move it to another folder, or remove it, before the patient "
                "is segmented again, or choose another folder for the results."
            )

    def _require_same_patients(self, made_from: str) -> None:
        name = self._beside("lesion.json")
        for numbers in (name, earlier_results(self.output_dir, self.patient) / name.name):
            earlier = read_json_object(numbers).get("made_from", "")
            if earlier and not is_same_source(earlier, made_from):
                raise InputError(
                    f"{numbers}: the results there were made from different scans under the same patient name. Use "
                    "--name or another output folder, or --again to replace them."
                )

    def _not_from_a_run(self) -> Iterator[Path]:
        """Yield what no run wrote where the patient's results go, and scans in the patient's folder."""
        if not has_results(self.output_dir, self.patient):
            yield from filter(os.path.lexists, map(self._beside, BESIDE_FOLDER))
        if self.folder is None:
            return
        if os.path.lexists(self.folder) and not is_folder(self.folder):
            yield self.folder
        made = made_in(self.folder)
        theirs = [path for path in self._inside() if path.name not in made and (not made or is_volume(path))]
        yield from filter(os.path.lexists, theirs)
        scan = None if made else first_scan(self.folder)
        if scan is not None:
            yield scan

    def _edited_by_somebody(self) -> Iterator[Path]:
        """Yield files of a run that somebody has edited since.

        The checksum differs, or no lesion.json vouches for them.
        """
        if self.folder is not None:
            yield from corrected_in(self.folder)
        numbers = read_json_object(self._beside("lesion.json"))
        mask = self._beside("lesion.nii.gz")
        if "islesnet" not in numbers:
            # The mask comes a second time among the others; it stands in front so that it is the one that is named.
            beside = (mask, *map(self._beside, BESIDE_FOLDER))
            yield from filter(os.path.lexists, beside)
            return
        if is_mask_edited(self.output_dir, self.patient):
            yield mask

    def _require_permission(self) -> None:
        """Refuse a folder that cannot be written to before anything in the other folder is removed."""
        for folder in filter(None, (self.output_dir, self.folder)):
            if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
                raise InputError(f"Cannot write to the folder {folder}: permission denied. Choose another.")

    def _beside(self, ending: str) -> Path:
        return self.output_dir / f"{self.patient}_{ending}"

    def _inside(self) -> list[Path]:
        return [] if self.folder is None else [self.folder / name for name in IN_FOLDER]

    def _places(self) -> list[Path]:
        """List all that a run may write of the patient, the mask and its numbers last."""
        return [*self._inside(), *map(self._beside, BESIDE_FOLDER)]


def _move(path: Path, target: Path) -> None:
    """Move a file that another run may have taken first; a link goes on leading to the same file."""
    with suppress(FileNotFoundError):
        if path.is_symlink():
            target.unlink(missing_ok=True)
            target.symlink_to(path.resolve())
            path.unlink()
        else:
            shutil.move(path, target)


def _require_there(inputs: Sequence[Path]) -> None:
    """Refuse what is not there before earlier results are removed for it."""
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path}: {f'is {NO_TARGET}' if path.is_symlink() else 'does not exist'}")
