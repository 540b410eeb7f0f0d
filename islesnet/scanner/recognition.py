"""Tell which sequence a volume is: from its image type, its diffusion weighting, its description, its timing."""

from typing import NamedTuple

from islesnet.scanner.facts import Facts, words_in
from islesnet.scanner.vocabulary import b_value_said, other_said, says_adc, says_b0, sequences_hinted, sequences_said
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import MASK_WORDS, is_written, says_contrast_medium, without_patient

_OTHER_IMAGE_TYPES = {
    "LOCALIZER": "a localizer",
    "FA": "a map of fractional anisotropy",
    "TENSOR": "a diffusion tensor",
    "EADC": "an exponential ADC map",
    "EXP": "an exponential ADC map",
    "MIP": "a projection",
    "PROJECTION IMAGE": "a projection",
    "PHASE": "a phase image",
    "IMAGINARY": "an imaginary part",
    "MINIMUM": "a projection",
    "MAXIMUM": "a projection",
    "MNIP": "a projection",
    "SUBTRACTION": "a difference of two images",
    "SWI": "a susceptibility image",
    "SCREEN SAVE": "a picture of a screen",
}
_SHORTEST_T2_ECHO_MS = 50.0  # below lies proton density
_FLAIR_INVERSION_MS = 1500.0  # from here on fluid is dark
_SHORTEST_FLAIR_INVERSION_MS = 1000.0  # below, fat is (STIR) or T1 differs
_CONTRASTS = {"DIFFUSION": "dwi", "FLUID_ATTENUATED": "flair", "T1": "t1", "T2": "t2"}


class Reading(NamedTuple):
    """What a volume is.

    Args:
        role: "dwi" (any diffusion weighting, b = 0 too), "b0", "adc", "t1", "t2", "flair", or None.
        why: what says so.
    """

    role: str | None
    why: str


_UNKNOWN = Reading(None, "nothing in its header or name says which sequence it is")


def recognise(facts: Facts, is_in_diffusion_series: bool = False) -> Reading:
    """Say which sequence a volume is, from what is most reliable to what is least.

    Args:
        facts: of the volume.
        is_in_diffusion_series: whether another volume of the series is diffusion-weighted, so that this is its b = 0.
    """
    return (
        _by_image_type(facts)
        or _by_words_that_exclude(facts.words)
        or _by_diffusion(facts, is_in_diffusion_series)
        or _by_contrast(facts)
        or _by_words(facts, facts.words, "name or description")
        or _by_timing(facts)
        or _by_hints(facts.words, "name or description")
        or _by_words_that_exclude(facts.folder_words)
        or _by_words(facts, facts.folder_words, "folder's name")
        or _by_hints(facts.folder_words, "folder's name")
        or _UNKNOWN
    )


def sequence_by_name(name: str, patient: str = "") -> str | None:
    """Say which of `ROLES` a file's or folder's name alone means; None where it means none.

    Args:
        name: without a suffix.
        patient: the patient's name, which is ignored at the beginning of the file's.
    """
    return recognise(_facts_of_name(name, patient)).role


def may_be_sequence(name: str) -> bool:
    """Tell whether a file may be one of `SEQUENCES` by its name without suffix: the name says one, or says nothing."""
    reading = recognise(_facts_of_name(name, ""))
    return reading.role in SEQUENCES or reading == _UNKNOWN


def contradiction(role: str, source: str, facts: Facts) -> str:
    """Say that a volume which was given as one sequence is another by its own account; empty where it is not.

    A DWI and its b = 0 do not contradict each other: their b-values are compared elsewhere.

    Args:
        role: the sequence that it was given as.
        source: how messages name it.
        facts: of the volume.
    """
    reading = recognise(facts)
    if reading.role is None or reading.role == role or {role, reading.role} <= {"dwi", "b0"}:
        return ""
    return f"{source} was given as the {role.upper()}; but {reading.why}."


def contradiction_of_name(role: str, stem: str, source: str, patient: str = "") -> str:
    """Say the same of a file by its name alone.

    Args:
        role: as for `contradiction`.
        stem: the name without a suffix.
        source: as for `contradiction`.
        patient: as for `sequence_by_name`.
    """
    return contradiction(role, source, _facts_of_name(stem, patient))


def b_value_by_words(facts: Facts) -> float | None:
    """Return the b-value that a name or description gives, where it can be believed.

    "b1000" alone is a DWI's; beside another sequence it is a patient's code, beside "ADC" what the map was made from.
    """
    value, said = b_value_said(facts.words), sequences_said(facts.words)
    if value is None or says_adc(facts.words):
        return None
    if "dwi" in said:
        return value
    timing = _by_timing(facts)  # a T2's may be that of a diffusion-weighted spin echo
    is_another = bool(said) or (timing is not None and timing.role != "t2")
    return None if is_another else value


def _facts_of_name(name: str, patient: str) -> Facts:
    return Facts(words=words_in(without_patient(name, patient)))


def _by_image_type(facts: Facts) -> Reading | None:
    for value, told in _OTHER_IMAGE_TYPES.items():
        if value in facts.image_type:
            return Reading(None, f"{told} (image type {value})")
    # "T1 MAP", "T2_STAR MAP", "B0 MAP", "PHASE MAP", "VELOCITY MAP"
    if any(value.endswith("MAP") and "ADC" not in value for value in facts.image_type):
        return Reading(None, "a map (image type)")
    if "P" in facts.image_type[2:]:  # Siemens: ORIGINAL\PRIMARY\P\ND
        return Reading(None, "a phase image (image type P)")
    if "ADC" in facts.image_type or "ADC_UNSPECIFIED" in facts.image_type:
        return Reading("adc", "image type ADC")
    return None


def _by_words_that_exclude(words: tuple[str, ...]) -> Reading | None:
    if words and is_written(list(words)):
        return Reading(None, "islesnet writes masks under such names")
    if masks := set(words) & MASK_WORDS:
        return Reading(None, f"a mask ('{min(masks)}')")
    if other := other_said(words):
        return Reading(None, f"not a sequence that is used ('{other}')")
    return None


def _by_diffusion(facts: Facts, is_in_diffusion_series: bool) -> Reading | None:
    kinds, b_value = set(facts.image_type), facts.b_value
    is_trace = "TRACEW" in kinds or bool(facts.is_trace)
    told = "a trace" if b_value is None else f"b = {b_value:g} s/mm2"
    if says_adc(facts.words):
        # A protocol named "DWI with ADC" names what was acquired, too. Maps computed later may keep a b-value, and so
        # may the side files of one whose image type is not known.
        is_weighted = bool(b_value) and bool(kinds) and "SECONDARY" not in kinds
        is_acquired = is_trace or is_weighted or ("ORIGINAL" in kinds and is_in_diffusion_series)
        return Reading("dwi", told) if is_acquired else Reading("adc", "name or description says ADC")
    if b_value is None:
        return Reading("dwi", told) if "TRACEW" in kinds else None
    # Philips writes b = 0 into every image.
    is_diffusion = b_value > 0 or is_in_diffusion_series or bool({"DIFFUSION", "TRACEW"} & kinds)
    return Reading("dwi", told) if is_diffusion else None


def _by_contrast(facts: Facts) -> Reading | None:
    if not facts.contrast or facts.contrast in ("UNKNOWN", "MIXED"):
        return None
    role = _CONTRASTS.get(facts.contrast)
    if role is None:
        told = f"acquisition contrast {facts.contrast}" if facts.contrast.replace("_", "").isalnum() else "its contrast"
        return Reading(None, f"not a sequence that is used ({told})")
    said = {role} | (sequences_said(facts.words) & {"flair"} if role == "t2" else set())
    return _settle(said, facts, "acquisition contrast")


def _by_words(facts: Facts, words: tuple[str, ...], told: str) -> Reading | None:
    if says_adc(words):
        return Reading("adc", f"{told} says ADC")
    if says_b0(words):
        return Reading("b0", f"{told} says b = 0")
    return _settle(sequences_said(words), facts, told)


def _settle(said: set[str], facts: Facts, told: str) -> Reading | None:
    """Settle on one of the sequences that were named, if contrast medium and timing agree with it."""
    if said == {"t1", "flair"}:  # a T1 FLAIR, or a badly named one: the inversion time tells
        timing = _by_timing(facts)
        return timing if timing and timing.role != "t2" else Reading(None, f"its {told} says T1 and FLAIR")
    if said == {"t2", "flair"}:
        said = {"flair"}
    if len(said) > 1:
        return Reading(None, f"its {told} says {' and '.join(sorted(said)).upper()}")
    if not said:
        return None
    (role,) = said
    if role == "t1" and _is_enhanced(facts):
        return _after_contrast_medium()
    return _t2_or_flair(role, facts, told) if role in ("t2", "flair") else Reading(role, f"{told} says {role.upper()}")


def _t2_or_flair(role: str, facts: Facts, told: str) -> Reading:
    echo, inversion = facts.echo_time_ms, facts.inversion_time_ms or 0.0
    told = f"{told} says {role.upper()}"
    if echo is not None and echo < _SHORTEST_T2_ECHO_MS:
        return Reading(None, f"its {told}, but its echo time is {echo:g} ms")
    if _is_gradient_echo(facts):
        return Reading(None, f"its {told}, but it is a gradient echo, as T2* is")
    if role == "t2" and inversion >= _FLAIR_INVERSION_MS:
        return Reading("flair", f"{told}, and its inversion time is {inversion:g} ms")
    is_inverted = role == "flair" or "IR" in facts.scanning or not facts.scanning
    if is_inverted and 0 < inversion < _SHORTEST_FLAIR_INVERSION_MS:
        return Reading(None, f"its {told}, but its inversion time is {inversion:g} ms")
    return Reading(role, told)


def _by_hints(words: tuple[str, ...], told: str) -> Reading | None:
    hinted = sequences_hinted(words)
    return Reading(hinted.pop(), f"{told} suggests it") if len(hinted) == 1 else None


def _by_timing(facts: Facts) -> Reading | None:
    """Tell spin-echo T1, T2, FLAIR and inversion-prepared gradient-echo T1 by the usual ranges at 1.5 and 3 T.

    A gradient echo without inversion may be anything: angiography, CISS, a field map. Words must say that it is a T1.
    """
    echo, repetition, inversion = facts.echo_time_ms, facts.repetition_time_ms, facts.inversion_time_ms or 0.0
    if echo is None or repetition is None or "EP" in facts.scanning:
        return None
    told = f"echo time {echo:g} ms, repetition time {repetition:g} ms"
    if inversion:
        told += f", inversion time {inversion:g} ms"
    if inversion >= _FLAIR_INVERSION_MS:
        return Reading("flair", told) if echo >= 60 else None
    is_gradient_echo = _is_gradient_echo(facts)
    is_inverted_t1 = inversion >= 400 and echo <= (12 if is_gradient_echo else 40)
    is_spin_echo_t1 = not is_gradient_echo and echo <= 30 and 200 <= repetition <= 1000
    if is_inverted_t1 or is_spin_echo_t1:
        return _after_contrast_medium() if _is_enhanced(facts) else Reading("t1", told)
    if not is_gradient_echo and not inversion and echo >= 70 and repetition >= 1800:
        return Reading("t2", told)
    return None


def _is_gradient_echo(facts: Facts) -> bool:
    return "GR" in facts.scanning and "SE" not in facts.scanning


def _is_enhanced(facts: Facts) -> bool:
    # A folder "post" may be a later examination; "T1 post" is not.
    folder = facts.folder_words if "t1" in sequences_said(facts.folder_words) else ()
    return facts.has_contrast_medium or says_contrast_medium(facts.words) or says_contrast_medium(folder)


def _after_contrast_medium() -> Reading:
    return Reading(None, "a T1 with contrast medium is not taken for a T1")
