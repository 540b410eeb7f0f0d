"""Whose scan it is: people are compared by digests and their names noticed in paths, and neither is ever shown."""

import hashlib
import re
import unicodedata
from collections.abc import Collection
from itertools import permutations, product
from typing import NamedTuple

from islesnet.scanner.dicom.headers import Header, text, texts

_NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName")
_IDS = ("PatientID", "OtherPatientIDs")
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# Letters that Unicode does not decompose into a plain letter and an accent.
_BARE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})
_SHORTEST_DATE = 6  # digits; fewer stand in many a number


class Person(NamedTuple):
    """Digests of the patient's identity in a header, each empty where the header does not say it.

    Args:
        identity: digest of the patient's id.
        name: digest of the name.
        birth: digest of the birth date.
    """

    identity: str
    name: str
    birth: str

    def may_be(self, other: "Person") -> bool:
        """Tell whether two headers may be the same person's.

        Ids are compared if both have one, else names and birth dates where both have them. Missing fields never
        conflict: a scanner and a workstation do not fill in the same ones.
        """
        if self.identity and other.identity:
            return self.identity == other.identity
        return all(own == theirs for own, theirs in zip(self[1:], other[1:], strict=True) if own and theirs)


def person_of(header: Header) -> Person:
    """Digest a patient's id, name and birth date, however they are spelt."""
    return Person(*(_digest(text(header, keyword)) for keyword in ("PatientID", "PatientName", "PatientBirthDate")))


def count_persons(persons: Collection[Person]) -> int:
    """Count the people, taking together those who may be the same."""
    groups: list[list[Person]] = []
    for person in sorted(persons, reverse=True):  # those with an id first
        group = next((group for group in groups if all(person.may_be(other) for other in group)), None)
        if group is None:
            groups.append([person])
        else:
            group.append(person)
    return len(groups)


def is_person_named_in(path: str, header: Header) -> bool:
    """Tell whether a path repeats the patient's name, id or birth date, in any spelling; if unsure, say it does."""
    names = [spelling for keyword in _NAMES for name in texts(header, keyword) for spelling in _spellings(name)]
    paths = _spellings(path)
    is_comparable = all(map(str.isascii, paths)) and all(any(map(str.isascii, name.split("="))) for name in names)
    if not is_comparable:  # another script, or bytes that are no text
        return True
    marks = {part for name in names for part in _parts_of_name(name)}
    marks |= {_plain(spelling) for keyword in _IDS for said in texts(header, keyword) for spelling in _spellings(said)}
    marks |= _ways_to_write(text(header, "PatientBirthDate"))
    return any(_stands_in(mark, spelling) for mark in marks for spelling in paths)


def _digest(said: str) -> str:
    plain = "".join(character for character in _spelt_out(said) if character.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest() if plain else ""


def _spellings(said: str) -> set[str]:
    """Write a text in small letters without accents, and its umlauts both ways: Müller as muller and as mueller."""
    return {_bare(said.casefold()), _spelt_out(said)}


def _spelt_out(said: str) -> str:
    return _bare(unicodedata.normalize("NFC", said.casefold()).translate(_SPELT_OUT))


def _bare(small: str) -> str:
    apart = unicodedata.normalize("NFKD", small.translate(_BARE))
    return "".join(character for character in apart if not unicodedata.combining(character))


def _plain(spelling: str) -> str:
    return re.sub(r"[^0-9a-z]", "", spelling)


def _parts_of_name(name: str) -> set[str]:
    """Give a name's parts and their words, and family and given name written as one word, in either order."""
    parts = [_plain(part) for part in re.split(r"[\s^=]+", name)]
    return {*parts, *re.findall("[a-z]+", name), "".join(parts[:2]), "".join(parts[1::-1])}


def _ways_to_write(date: str) -> set[str]:
    """Write a date (YYYYMMDD) in every order of its parts, with and without its century and its zeros."""
    digits = _plain(date)
    year, month, day = digits[:4], digits[4:6], digits[6:]
    parts = product({year, year[2:]}, {month, month.lstrip("0")}, {day, day.lstrip("0")})
    ways = {"".join(order) for chosen in parts for order in permutations(chosen)}
    return {way for way in ways if len(way) >= _SHORTEST_DATE}


def _stands_in(mark: str, path: str) -> bool:
    """Look for a mark in a path whatever separates its characters; one of two characters must be a word of its own."""
    if len(mark) > 2:
        return mark in _plain(path)
    return len(mark) == 2 and mark in {*re.findall("[0-9a-z]+", path), *re.findall("[a-z]+|[0-9]+", path)}
