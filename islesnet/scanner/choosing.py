"""Fill each role with the best of what claims it, and keep the reasons."""

import logging
from collections.abc import Sequence
from pathlib import Path

from islesnet.errors import InputError
from islesnet.scanner.adc import adc_from, in_usual_unit, tell_unit
from islesnet.scanner.candidate import Candidate, UnusableError
from islesnet.scanner.diffusion import LOWEST_DWI, b0_options, dwi_options
from islesnet.scanner.option import (
    Option,
    are_of_one_examination,
    are_on_one_grid,
    deciding_merit,
    is_repetition,
    ranked,
)
from islesnet.scanner.patient import COMPANIONS, ROLES, Choice, Image, RawImage
from islesnet.scanner.recognition import Reading, contradiction, recognise
from islesnet.sequences import REFERENCE_ORDER

logger = logging.getLogger(__name__)


class Chooser:
    """Collects a patient's images, choices and notes.

    Args:
        folder: the patient's, named in refusals.

    Beside these it has ``damaged``: role -> the source of what would be that sequence if it could be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images: dict[str, RawImage] = {}
        self.choices: list[Choice] = []
        self.notes: list[str] = []
        self.damaged: dict[str, str] = {}
        self._diffusion: list[Candidate] = []
        self._taken: dict[str, Option] = {}

    def take_named(self, role: str, candidates: Sequence[Candidate], path: Path) -> None:
        """Fill a role with what the user named.

        Raises:
            InputError: where that holds several series, or cannot be used.
        """
        told = f"{self.folder}: --{role} {path}"
        series = {candidate.series for candidate in candidates}
        if len(series) > 1:
            sources = ", ".join(sorted({candidate.source for candidate in candidates})[:6])
            raise InputError(f"{told} holds {len(series)} series ({sources}); name one of them")
        sound = [candidate for candidate in candidates if not candidate.fault]
        if not sound:
            raise InputError(f"{told}: {candidates[0].fault}")
        options = _named_options(role, sound)
        if not options:
            raise InputError(f"{told} holds {len(sound)} volumes, none of them a {role.upper()}; name one volume")
        if role == "dwi":
            self._diffusion += sound
        try:
            self._fill(options[0])
        except UnusableError as error:
            raise InputError(f"{told}: {error}") from error
        named = options[0].first
        if told := contradiction(role, named.source, named.facts):
            self.notes.append(told)
            logger.warning("%s", told)

    def take(self, readings: Sequence[tuple[Candidate, Reading]]) -> None:
        """Fill the roles that are still open from what was recognised, the DWI first, and complete b = 0 and ADC.

        Raises:
            InputError: where two claim to be the DWI and none is better, or where what says which examination is meant
                is there of two.
        """
        self._set_aside(readings)
        sound = [(candidate, reading) for candidate, reading in readings if not candidate.fault]
        self._diffusion += [candidate for candidate, reading in sound if reading.role in ("dwi", "b0")]
        claims: dict[str, list[Option]] = {role: [] for role in ROLES}
        for candidate, reading in sound:
            if reading.role is not None:
                claims[reading.role].append(Option(reading.role, (candidate,), reading.why))
        claims["dwi"] = dwi_options([option.first for option in claims["dwi"]])
        # The first sequence found says which examination is meant.
        for role in REFERENCE_ORDER:
            self._choose(role, claims[role])
        self._choose_b0(claims["b0"])
        self._choose("adc", claims["adc"])
        self._compute_adc()
        self._tell_the_rest(sound)

    def _set_aside(self, readings: Sequence[tuple[Candidate, Reading]]) -> None:
        for candidate, reading in readings:
            if reading.role is None:
                self.choices.append(Choice(candidate.source, None, reading.why))
            elif candidate.fault:
                self.damaged.setdefault(reading.role, candidate.source)
                self._leave_out(candidate.source, reading.role, candidate.fault)

    def _leave_out(self, source: str, role: str, fault: str) -> None:
        self.choices.append(Choice(source, None, fault))
        self.notes.append(f"{source} ({role.upper()}) is left out: it {fault}.")

    def _choose(self, role: str, options: Sequence[Option]) -> None:
        """Take the best option that can be read."""
        if role in self.images:
            return
        anchor = self._anchor(role)
        order = ranked(self._of_examination(anchor, options), anchor)
        for index, option in enumerate(order):
            try:
                stored = self._fill(option)
            except UnusableError as error:
                self.damaged.setdefault(role, option.source)
                self._leave_out(option.source, role, str(error))
                continue
            for other in order[index + 1 :]:
                try:
                    self._pass_over(other, option, stored, anchor)
                except UnusableError as error:
                    self._leave_out(other.source, role, str(error))
            return

    def _anchor(self, role: str) -> Candidate | None:
        """Return what says of which examination an image must be: the foremost of the sequences before it."""
        before = REFERENCE_ORDER[: REFERENCE_ORDER.index(role)] if role in REFERENCE_ORDER else REFERENCE_ORDER
        taken = [self._taken[name].first for name in before if name in self._taken]
        if role in COMPANIONS and taken:
            return taken[0]
        return next((candidate for candidate in taken if candidate.study), None)

    def _of_examination(self, anchor: Candidate | None, options: Sequence[Option]) -> list[Option]:
        """Leave out what is of another examination."""
        kept = []
        for option in options:
            if anchor is None or are_of_one_examination(option.first, anchor):
                kept.append(option)
            else:
                fault = f"is of another examination than {anchor.source}; if it is meant, say so: --{option.role} PATH"
                self._leave_out(option.source, option.role, fault)
        return kept

    def _pass_over(self, other: Option, taken: Option, stored: Image, anchor: Candidate | None) -> None:
        """Say why the other was not taken; refuse where nothing says so.

        Args:
            other: the option that was not taken.
            taken: the one that was.
            stored: its image as it was read.
            anchor: the volume that said which examination is meant.

        Raises:
            UnusableError: where voxels must decide, and the other's cannot be read.
        """
        role = taken.role
        if role not in COMPANIONS and not are_of_one_examination(other.first, taken.first):
            raise InputError(
                f"{self.folder}: {other.source} and {taken.source} both claim to be the {role.upper()}, and are of two "
                f"examinations; give the folder of one, or say which: --{role} PATH"
            )
        merit, is_rival = deciding_merit(taken, other, anchor), other.first.series != taken.first.series
        if not merit:
            merit = self._merit_among_equals(other, taken, stored) if is_rival else "it is the first of equals"
        self.choices.append(Choice(other.source, None, f"{other.why}, but {taken.source} is taken: {merit}"))
        if is_rival or role not in COMPANIONS:
            rivals = f"{taken.source} and {other.source} both claim to be the {role.upper()}"
            self.notes.append(f"{rivals}; {taken.source} is taken: {merit}.")

    def _merit_among_equals(self, other: Option, taken: Option, stored: Image) -> str:
        """Say why one of two equal series is taken; which DWI is meant must be said by someone."""
        role = taken.role
        if other.holds(stored):
            return "the other is a copy of it"
        if role != "dwi":
            return "it is the last of equals"
        if is_repetition(taken, other):
            return "it is the other's repetition"
        raise InputError(
            f"{self.folder}: {other.source} and {taken.source} both claim to be the {role.upper()}, "
            f"and none is better by its examination, b-value, field of view or voxels; say which: --{role} PATH"
        )

    def _fill(self, option: Option) -> Image:
        """Take an option; return its image as it was read."""
        stored, notes = option.load()
        image = stored
        file = option.first.file if len(option.members) == 1 and not notes else None
        if option.role == "adc":
            image, unit = in_usual_unit(image)
            notes = [*notes, *tell_unit(option.source, unit)]
        self.images[option.role] = RawImage(
            image,
            option.source,
            option.first.frames,
            option.first.facts.b_value if option.role in ("dwi", "b0") else None,
            file,
            None if option.first.frames else Path(option.first.series),
        )
        self._taken[option.role] = option
        self.choices.append(Choice(option.source, option.role, option.why))
        self.notes += [*notes, *option.doubts()]
        return stored

    def _choose_b0(self, said: list[Option]) -> None:
        """Take b = 0 of the DWI's own series, or of one on the DWI's grid; any other is of no use to a DWI."""
        if "dwi" not in self._taken:
            self._choose("b0", said)
            return
        dwi = self._taken["dwi"].first
        options = b0_options(self._diffusion) + said
        own = [option for option in options if option.first.series == dwi.series]
        beside: dict[str, Option] = {}
        for option in options:
            if _fits(option.first, dwi) and are_of_one_examination(option.first, dwi):
                beside.setdefault(option.first.series, option)
        self._choose("b0", own[:1] or list(beside.values()))

    def _compute_adc(self) -> None:
        if "adc" in self.images or not {"dwi", "b0"} <= self._taken.keys():
            return
        dwi, b0 = self._taken["dwi"], self._taken["b0"]
        if fault := _why_no_ratio(b0, dwi):
            self.notes.append(f"No ADC map was computed from {b0.source} and {dwi.source}: {fault}.")
            return
        lower, higher = (option.first.facts.b_value or 0.0 for option in (b0, dwi))
        image = adc_from(self.images["b0"].image, self.images["dwi"].image, lower, higher)
        source = f"computed from {b0.source} and {dwi.source}"
        self.images["adc"] = RawImage(image, source)
        self.choices.append(Choice(source, "adc", "no ADC map was found"))
        self.notes.append(f"The ADC map is {source} (b = {lower:g} and {higher:g} s/mm2).")

    def _tell_the_rest(self, sound: Sequence[tuple[Candidate, Reading]]) -> None:
        """Say of every volume that is still unmentioned that it was not needed."""
        told = {choice.source for choice in self.choices}
        used = {member.source for option in self._taken.values() for member in option.members}
        for candidate, reading in sound:
            if candidate.source not in told | used:
                self.choices.append(Choice(candidate.source, None, self._why_not_needed(candidate, reading)))

    def _why_not_needed(self, candidate: Candidate, reading: Reading) -> str:
        b_value = candidate.facts.b_value
        has_dwi = "dwi" in self._taken or "dwi" in self.damaged
        if has_dwi or reading.role != "dwi" or b_value is None or b_value >= LOWEST_DWI:
            return f"{reading.why}; not needed"
        own = f"b = {b_value:g} s/mm2"
        told = own if reading.why == own else f"{reading.why}, but it has {own}"
        return f"{told}; the diffusion-weighted image, of b = {LOWEST_DWI:g} or more, is missing"


def _named_options(role: str, sound: Sequence[Candidate]) -> list[Option]:
    if role == "dwi" and (options := dwi_options(sound)):
        return [Option("dwi", option.members, f"named as such; {option.why}", option.is_mean) for option in options]
    if role == "b0" and (low := b0_options(sound)):
        return [Option("b0", option.members, "named as such") for option in low]
    if len(sound) > 1:
        sound = [candidate for candidate in sound if recognise(candidate.facts).role == role]
    return [Option(role, (candidate,), "named as such") for candidate in sound]


def _fits(b0: Candidate, dwi: Candidate) -> bool:
    """Whether the two were acquired alike, so that their ratio means something."""
    first, second = b0.facts.echo_time_ms, dwi.facts.echo_time_ms
    return are_on_one_grid(b0, dwi) and (first is None or second is None or abs(first - second) < 1.0)


def _why_no_ratio(b0: Option, dwi: Option) -> str:
    """Say why the ratio of two images gives no ADC; nothing where it does."""
    lower, higher = b0.first.facts.b_value or 0.0, dwi.first.facts.b_value
    if higher is None:
        return "the DWI's b-value is not known (the name of a file may say it: dwi_b1000.nii.gz)"
    if higher <= lower:
        return f"their b-values are {lower:g} and {higher:g} s/mm2"
    if not _fits(b0.first, dwi.first):
        return "they differ in grid or echo time"
    return next(filter(None, (b0.first.scaling.why_not_with(member.scaling) for member in dwi.members)), "")
