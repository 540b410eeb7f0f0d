"""What the name of a mask that is to be scored says: whose mask it is, or that it is none."""

import re
import unicodedata
from collections.abc import Iterable
from enum import IntEnum

from islesnet.volumes.file_names import BRAIN_WORDS, MASK_WORDS, SEQUENCE_WORDS, subject_of, without_words

# None of this tells patients apart: sub-01_msk is the truth of sub-01_lesion.
_ROLE_WORDS = MASK_WORDS | {"pred", "preds", "prediction", "predictions", "predicted", "manual", "expert"}
# A brain has these too.
_ANY_MASK_WORDS = {"mask", "masks", "seg", "segmentation"}
_NO_MASK_WORDS = {
    *("probability", "probabilities", "prob", "probs", "softmax", "logits", "uncertainty", "adc", "eadc", "brainmask"),
}
_SEQUENCES = frozenset().union(*SEQUENCE_WORDS.values())
# Likewise of BIDS: in which space and by whom, not whose.
_ENTITY = re.compile(r"_(?:space|label|desc|res|den|acq|rec|mod)-[0-9A-Za-z]+(?=_|$)")


class Kind(IntEnum):
    """How clearly a name says that the file is a lesion mask, the clearest first."""

    MASK = 0
    UNSAID = 1
    SEQUENCE = 2
    OTHER = 3


def kind_of(stem: str) -> Kind:
    """Say what a file is by its name: "p1_lesion" a mask, "p1" unsaid, "p1_dwi" a sequence, "p1_probability" other."""
    words = {word for word in re.split(r"[\W_]+", stem.lower()) if word}
    roles = words & _ROLE_WORDS
    if words & _NO_MASK_WORDS or (words & BRAIN_WORDS and roles and roles <= _ANY_MASK_WORDS):
        return Kind.OTHER
    if roles or {"vsd", "ot"} <= words:
        return Kind.MASK
    return Kind.SEQUENCE if words & _SEQUENCES else Kind.UNSAID


def patient_in(name: str) -> str:
    """Return the patient's part of a file's or folder's name; nothing where it names a mask alone ("label")."""
    return without_words(_ENTITY.sub("", name) if name.startswith("sub-") else name, _ROLE_WORDS)


def key_of(name: str) -> str:
    """Return what is compared of a patient's name: case and the words for masks do not count."""
    return unicodedata.normalize("NFC", patient_in(name) or name).casefold()


def match_names(left: Iterable[str], right: Iterable[str]) -> dict[str, str]:
    """Find each patient of one side on the other, by name, never by order.

    A person with one session only may be named without it: "sub-01" is "sub-01_ses-1" where there is no other session.

    Args:
        left: patients, no two with the same `key_of`.
        right: likewise.

    Returns:
        The name on the right for each on the left that has a partner.
    """
    of_left, of_right = ({key_of(name): name for name in names} for names in (left, right))
    matched = {name: of_right[key] for key, name in of_left.items() if key in of_right}
    for person in {subject_of(key) for key in of_left}:
        ours, theirs = (_of_person(person, keys) for keys in (of_left, of_right))
        if len(ours) == len(theirs) == 1 and person in (ours[0], theirs[0]):
            matched[of_left[ours[0]]] = of_right[theirs[0]]
    return matched


def _of_person(person: str, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if subject_of(key) == person]
