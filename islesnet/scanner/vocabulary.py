"""What the words of a description or a name say, in the vocabularies of scanners, converters and data sets."""

import re
from collections.abc import Sequence
from itertools import pairwise

from islesnet.volumes.file_names import SEQUENCE_WORDS

# A table holds words and phrases of two words ("dark fluid").
_ADC = {"adc", "adcmap", "dadc", "isoadc", "apparent", "average dc"}  # Philips: dADC; GE: Average DC
_B0 = {"bzero", "nodif"}  # FSL has "nodif"
_DIFFUSION = (SEQUENCE_WORDS["dwi"] - {"b1000"}) | {"diff", "dti", "dmri", "dwibs", "dwisense", "resolve"}
_FLAIR = SEQUENCE_WORDS["flair"] | {"dark fluid", "dark fl", "da fl"}  # Siemens
_T1 = SEQUENCE_WORDS["t1"] | {"mp rage", "mp2rage", "unit1", "bravo", "spgr", "fspgr", "tfl3d"}  # BIDS: UNIT1
_PLANE = "ax|axial|tra|sag|cor|2d|3d"
_TECHNIQUE = f"{_PLANE}|[tf]?se|frfse|tfe|ffe|fs|flair|mprage|mpr|spgr|spc|space|cube|vista|blade|propeller"
_WEIGHTED = re.compile(rf"(?:{_PLANE})?[es]?t([12])(?:w|wi|n)?(?:{_TECHNIQUE})?")  # t1, T2W, eT1W, sT1TFE, AXT2
# Within words: sDWI, AXDWI, DwiSE; diffusione, difusion; sFLAIR, 3DFLAIR; MEMPRAGE.
_WITHIN = {
    "dwi": re.compile(rf"(?:{_PLANE}|iso|[a-z])?dwi(?:{_PLANE}|se|ssh|epi|b\d+)?|diff?usi.*"),
    "flair": re.compile(r".*flair.*"),
    "t1": re.compile(r".*mprage.*"),
}
_TENSOR_MAPS = {
    f"{method} {symbol}"
    for method in ("dti", "eddy")  # FSL's dti_MD, data sets' DTI_eddy_MD
    for symbol in ("md", "ad", "rd", "tr", "mo", "s0", "l1", "l2", "l3", "v1", "v2", "v3")
}
_OTHERS = _TENSOR_MAPS | {
    *("swi", "swan", "swip", "gre", "mgre", "megre", "hemo", "heme", "haemo", "star", "t2star", "t2s", "t2ffe"),
    *("t2wffe", "qsm", "pd", "pdw", "stir", "phase", "pha", "phasediff", "magnitude1", "magnitude2", "mese", "sbref"),
    *("ciss", "ci3d", "fiesta", "trufi", "trufi2d", "trufi3d", "truefisp", "bffe", "btfe", "psif", "dess", "de3d"),
    *("tof", "mra", "mrv", "angio", "mip", "minip", "proj", "3di", "s3di", "3dpca", "s3dpca", "twist", "tricks"),
    *("perf", "perfusion", "pwi", "dsc", "dce", "dyn", "dynamic", "asl", "pasl", "pcasl", "bold", "fmri"),
    *("cbf", "cbv", "rcbf", "rcbv", "relcbf", "relcbv", "relmtt", "mtt", "tmax", "ttp", "spectro", "mrs", "csi", "svs"),
    *("t1map", "t2map", "r1map", "r2map", "b0map", "b1map", "fieldmap", "inv1", "inv2", "inv 1", "inv 2"),
    *("fa", "colfa", "tensor", "fractional", "eadc", "exponential", "probability", "prob", "prediction", "uncertainty"),
    *("subtraction", "subtracted", "roi", "voi", "aseg", "dseg", "probseg"),
    *("loc", "localizer", "localiser", "scout", "survey", "aahead", "aahscout", "calibration", "smartbrain"),
}
# A gradient echo that is called T2 is a T2*.
_GRADIENT_ECHOES = {"fl2d", "fl3d", "flash", "ffe", "me2d", "me3d", "medic", "swi2d", "swi3d"}
# Words that exclude a volume, except beside the name of this sequence.
_EXCLUDED_UNLESS = {
    "pd": "t2",  # a double echo; the echo time tells
    "gre": "t1",  # UIH: t1_gre_fsp
}
# These may as well mean a patient's code, or a reformatted volume of any sequence.
_HINTS = {"b1000": "dwi", "mpr": "t1"}
_B_VALUE = re.compile(r"(?:dwi)?b(?:val|value)?(0|[1-9]\d{0,3})|([1-9]\d{2,3})b")


def sequences_said(words: Sequence[str]) -> set[str]:
    """Return the sequences that words name: "dwi", "t1", "t2", "flair"; several where they leave it open."""
    known = _phrases(words)
    said = {f"t{match[1]}" for word in words if (match := _WEIGHTED.fullmatch(word))}
    within = {sequence for sequence, spelling in _WITHIN.items() if any(spelling.fullmatch(word) for word in words)}
    if "dwi" in within or known & _DIFFUSION:
        return {"dwi"} | (said & {"t1"})  # "DWI T2" is a DWI
    said |= within
    if known & _FLAIR:
        said.add("flair")
    if known & _T1:
        said.add("t1")
    return said


def sequences_hinted(words: Sequence[str]) -> set[str]:
    """Return the sequences that words merely suggest, which count where nothing says more."""
    return {_HINTS[word] for word in words if word in _HINTS}


def other_said(words: Sequence[str]) -> str:
    """Return a word for what is not used, such as another sequence, a map or a localizer; empty where there is none."""
    said = sequences_said(words)
    others = _phrases(words) & (_OTHERS | (_GRADIENT_ECHOES if "t2" in said else set()))
    return min((word for word in others if _EXCLUDED_UNLESS.get(word) not in said), default="")


def says_adc(words: Sequence[str]) -> bool:
    """Tell whether words name a map of the apparent diffusion coefficient."""
    return bool(_phrases(words) & _ADC)


def says_b0(words: Sequence[str]) -> bool:
    """Tell whether words name the image without diffusion weighting; beside T1 or FLAIR, B0 may be a patient's code."""
    is_named = bool(set(words) & _B0) or b_value_said(words) == 0
    return is_named and not sequences_said(words) & {"t1", "flair"}


def b_value_said(words: Sequence[str]) -> float | None:
    """Return the b-value that words name ("b1000", "b = 1000", "1000b"), where they name one alone.

    A b-value is a round number; B1234 or B0050 is a patient's code.
    """
    joined = [first + second for first, second in pairwise(words) if first == "b"]
    matches = [match for word in [*words, *joined] if (match := _B_VALUE.fullmatch(word))]
    said = {int(match[1] or match[2]) for match in matches}
    round_numbers = [value for value in said if value % (50 if value >= 100 else 10) == 0]
    return float(round_numbers[0]) if len(round_numbers) == 1 else None


def _phrases(words: Sequence[str]) -> set[str]:
    return {*words, *(" ".join(pair) for pair in pairwise(words))}
