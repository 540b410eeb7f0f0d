"""What a file's name says: which sequence it holds, or that it is a label, or that it is neither."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

# What operating systems leave on a medium.
SYSTEM_FOLDERS = {"lost+found", "$RECYCLE.BIN", "System Volume Information", "__MACOSX"}
# Of what scans were converted from, and of what was made from them.
ORIGIN_FOLDERS = {"dicom", "dicoms", "dcm", "source", "sourcedata", "orig", "original", "originals", "raw", "export"}
MADE_FOLDERS = {"derivatives", "results", "output"}
VOLUME_SUFFIXES = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd", ".nhdr")
# Of volumes that are not read. Of Philips's pairs .rec alone is known, for FSL calls a motion's parameters .par.
_UNREAD_SUFFIXES = {".hdr": "Analyze or a NIfTI pair", ".img": "Analyze or a NIfTI pair", ".mgz": "FreeSurfer"}
_UNREAD_SUFFIXES |= {".mgh": "FreeSurfer", ".mnc": "MINC", ".rec": "Philips PAR/REC"}
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")

SEQUENCE_WORDS = {
    "dwi": {"dwi", "isodwi", "trace", "tracew", "b1000", "dwib1000"},
    "flair": {"flair", "fla", "flr", "t2flair", "t2f", "darkfluid", "tirm", "t2tirm"},
    "t1": {"t1", "t1w", "t1wi", "t1n", "mprage"},
    "t2": {"t2", "t2w", "t2wi"},
}
_LESION_WORDS = {
    *("label", "labels", "lesion", "lesions", "seg", "segmentation", "msk", "truth", "groundtruth", "gt", "lesionmask"),
}
MASK_WORDS = _LESION_WORDS | {"mask", "masks"}
# Of what somebody drew, or drew anew.
DRAWN_WORDS = {"manual", "expert", "corrected", "correction", "edited", "annotation", "annotations", "annotated", "roi"}
# What is corrected in a scan, not by somebody in a mask.
_CORRECTED_IN_SCANS = {
    *("eddy", "motion", "moco", "mc", "bias", "biasfield", "n4", "field", "distortion", "topup", "sdc", "slice"),
}
BRAIN_WORDS = {"brain", "brainmask", "br", "bet", "ss", "skull", "head", "tissue"}
# Of a contrast medium: its metal, its makers' names, the word for it or for giving it in several languages.
_CONTRAST_WORDS = {
    *("gd", "gad", "gado", "gadolinium", "gdtpa", "dtpa", "gadavist", "gadovist", "dotarem", "magnevist", "prohance"),
    *("multihance", "omniscan", "clariscan", "vueway", "ce", "cemr", "contrast", "enhanced", "enhance", "enh", "post"),
    *("postcontrast", "postgd", "postgad", "postgado", "km", "kontrast", "kontrastmittel", "postkm", "mitkm"),
    *("inj", "injection", "injecte", "postinj", "contraste", "civ", "mdc", "contrasto", "contr", "kontr"),
}
_WITHOUT_WORDS = {"pre", "non", "no", "without", "wo", "ohne", "vor", "sans", "avant", "senza", "sin", "prae"}
# How a series was acquired, which names no patient: planes, techniques, localizers.
_PROTOCOL_WORDS = {
    *("ax", "axial", "tra", "trans", "transverse", "transversal", "sag", "sagittal", "cor", "coronal", "obl"),
    *("oblique", "tse", "fse", "se", "ge", "gre", "fl2d", "fl3d", "spc", "space", "cube", "vista", "vibe", "ir", "fs"),
    *("fatsat", "blade", "propeller", "frfse", "epi", "ep2d", "diff", "diffusion", "dti", "2d", "3d", "iso", "thin"),
    *("std", "hr", "localizer", "localiser", "loc", "scout", "survey", "haste", "swi", "swan", "tof", "angio", "mra"),
    *("perf", "dsc", "adc", "eadc", "head", "brain", "neuro", "mr", "mri", "scan", "series", "serie", "serien", "raw"),
    *("oax", "osag", "ocor", "fase", "fse2d", "fse3d", "se2d", "resolve", "ssh", "sense", "ffe", "tfe", "asset"),
    *("reg", "coreg", "registered", "coregistered", "resampled", "resliced", "aligned"),
}
# Maps and by-products that carry a sequence's name but are not it.
_OTHER_WORDS = {"adc", "eadc", "exponential", "b0", "star", "probability", "prob", "prediction", "uncertainty"}
_T1_OR_COMPOUND = rf"([es]?t1(?:w|wi)?|mprage)({'|'.join(sorted(_CONTRAST_WORDS, key=len, reverse=True))}|c)"
_SEPARATORS = re.compile(r"[_\-.\s]+")
# How some write a word -> the words; each stands alone, between separators.
_SPELLINGS = [
    (re.compile(spelling), words)
    for spelling, words in (
        (r"space-[0-9a-z]+", " "),  # BIDS: the space a file was moved to
        (r"t2\*", "t2 star "),
        (r"(?<![0-9a-z])w/o(?![0-9a-z])", "without"),
        (r"\+\s*(?:c|k|km|gd)(?![0-9a-z])|(?<![0-9a-z])(?:c|k|km|gd)\+", " contrast "),  # GE: "AX T1 +C"
        (r"(?<![0-9a-z])c-(?![0-9a-z])|(?<=\s)-\s?c(?![0-9a-z])", " without contrast "),
        (r"(?<![0-9a-z])([tr][12]|b[01]|field)[^0-9a-z]+map(?:s|ping)?(?![0-9a-z])", r"\1map"),  # of a quantity
        (rf"(?<![0-9a-z]){_T1_OR_COMPOUND}(?![0-9a-z])", r"\1 \2"),  # BraTS: t1ce, t1c
    )
]


@dataclass(frozen=True)
class NameReading:
    """What a name says.

    Args:
        role: a sequence, "label", or None where the name says neither.
        rest: the name without the words of the role: the same for all files of a patient in a flat folder.
        doubt: why a name that seems to say something was passed over; empty where there is no doubt.
    """

    role: str | None
    rest: str
    doubt: str = ""


def stem_of(file_name: str) -> str | None:
    """Return the name without its suffix, or None where the suffix is not that of a volume."""
    for suffix in VOLUME_SUFFIXES:
        if file_name.lower().endswith(suffix) and len(file_name) > len(suffix):
            return file_name[: -len(suffix)]
    return None


def unread_format(file_name: str) -> str | None:
    """Name the format of a volume that is not read, or None for anything else."""
    name = file_name.lower().removesuffix(".gz")
    return next((told for suffix, told in _UNREAD_SUFFIXES.items() if name.endswith(suffix)), None)


def is_archive(file_name: str) -> bool:
    """Tell whether a file may be packed scans; a .nii.gz is none."""
    return stem_of(file_name) is None and file_name.lower().endswith(_ARCHIVES)


def read_name(stem: str, folder_name: str = "") -> NameReading:
    """Say what the words of a name mean; `folder_name` at its beginning (the patient) is not looked at.

    "T1_study_07_dwi" in the folder "T1_study_07" is a DWI.
    """
    own = without_patient(stem, folder_name)
    prefix = stem[: len(stem) - len(own)]
    words = words_of(own)
    if not words:
        return NameReading(None, stem)
    if is_written(words_of(stem)):
        return NameReading(None, stem, "islesnet writes masks under such names; name an expert's mask '_label'")
    role, doubt = _role_of(words)
    if role is None:
        return NameReading(None, stem, doubt)
    known = MASK_WORDS if role == "label" else set().union(*SEQUENCE_WORDS.values())
    return NameReading(role, prefix + without_words(stem[len(prefix) :], known))


def without_patient(name: str, patient: str) -> str:
    """Take the patient's name, as whole words, from the beginning of a file's."""
    if not patient:
        return name
    return re.sub(rf"^{re.escape(patient)}(?![0-9a-z])", "", name, count=1, flags=re.IGNORECASE)


def sequence_named(text: str) -> str | None:
    """Return the sequence that a channel's or a column's name means, or None."""
    role, _ = _role_of(words_of(text))
    return role if role != "label" else None


def says_only_how(text: str) -> bool:
    """Tell whether all words of a name are those of a protocol, and it has any: "localizer", "tse_tra"."""
    words = set(words_of(text))
    return bool(words) and words <= _PROTOCOL_WORDS | set().union(*SEQUENCE_WORDS.values())


def subject_of(patient: str) -> str:
    """Return the person behind a patient name: sessions ("sub-01_ses-2") of one person must stay on one side."""
    return patient.partition("_ses-")[0]


def natural_key(text: str) -> list[str | int]:
    """Sort key that puts "case 2" before "case 10"."""
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(re.split(r"(\d+)", text))]


def without_words(text: str, known: Set[str]) -> str:
    """Remove words from a name, each with the separators before it (the first: after it).

    Other signs stay: "p1+_lesion" without "lesion" is "p1+", since "p1" is somebody else.
    """
    # A word in brackets goes with them.
    text = re.sub(r"[(\[{](\w+)[)\]}]", lambda word: f"_{word[1]}" if word[1].lower() in known else word[0], text)
    parts = re.split(r"([\W_]+)", text)
    pairs = zip(["", *parts[1::2]], parts[::2], strict=True)
    kept = [_SEPARATORS.sub("", signs) if word.lower() in known else signs + word for signs, word in pairs]
    return "".join(kept).strip("_-. ")


def words_of(text: str) -> list[str]:
    """Return the words of a name in lower case, without what only says where an image was moved to."""
    text = text.lower()
    for spelling, spelled in _SPELLINGS:
        text = spelling.sub(spelled, text)
    words = [word for word in re.split(r"[^0-9a-z]+", text) if word]
    # "dwi_to_flair" is the DWI, moved onto the FLAIR.
    return words[: words.index("to", 1)] if "to" in words[1:] else words


def says_contrast_medium(words: Sequence[str]) -> bool:
    """Tell whether words say that a T1 was taken with a contrast medium: "post gd no fs", but not "pre gd"."""
    is_denied = False
    for before, word in zip(["", *words], words, strict=False):
        # A lone C (K for the German word) is of a medium beside T1 alone.
        if word in _CONTRAST_WORDS or (word in ("c", "k") and before in SEQUENCE_WORDS["t1"]):
            if word == "post" or not is_denied:  # "pre/post" shows the difference
                return True
        elif word != "iv":  # "without iv contrast"
            is_denied = word in _WITHOUT_WORDS
    return False


def is_written(words: list[str]) -> bool:
    """Tell whether a name is one that islesnet gives to its masks."""
    # "<patient>_lesion" is ours; "lesion" alone, or "label-lesion" as BIDS has it, is an expert's.
    return words[-1] == "lesion" and len(words) > 1 and "label" not in words


def is_drawn(name: str) -> bool:
    """Tell whether a name is a mask's or annotation's, and not that of a sequence that was corrected."""
    words = set(words_of(name))
    is_scan = bool(words & _CORRECTED_IN_SCANS) or sequence_named(name) is not None
    return bool(words & MASK_WORDS) or (bool(words & DRAWN_WORDS) and not is_scan)


def _role_of(word_list: list[str]) -> tuple[str | None, str]:
    words = set(word_list)
    if {"vsd", "ot"} <= words:  # the SMIR platform's name of an ISLES 2015 ground truth
        return "label", ""
    if words & _OTHER_WORDS:
        return None, ""
    sequences = {sequence for sequence, known in SEQUENCE_WORDS.items() if words & known}
    if words & MASK_WORDS:
        return _role_of_mask(word_list, sequences)
    if sequences == {"t1"} and says_contrast_medium(word_list):
        return None, "a T1 with contrast medium is not taken for a T1; name a plain one 't1'"
    if sequences == {"t2", "flair"}:
        sequences = {"flair"}
    if len(sequences) > 1:
        return None, f"its name says {' and '.join(sorted(sequences))}"
    return (sequences.pop() if sequences else None), ""


def _role_of_mask(words: list[str], sequences: set[str]) -> tuple[str | None, str]:
    if set(words) & BRAIN_WORDS:
        return None, ""
    if sequences and not set(words) & _LESION_WORDS:
        return None, "a mask of the brain or of a lesion? name a lesion mask '_label'"
    return "label", ""
