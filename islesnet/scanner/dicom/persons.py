"""Who a scan is of: told apart by digests, never told."""

import hashlib
from collections.abc import Collection
from typing import NamedTuple

from islesnet.scanner.dicom.headers import Header, text


class Person(NamedTuple):
    """Digests of who a header says it is of, each empty where it does not say it.

    Args:
        identity: of the patient's id.
        name: of the name.
        birth: of the birth date.
    """

    identity: str
    name: str
    birth: str

    def may_be(self, other: "Person") -> bool:
        """Tell whether two may be one: by their ids, or where one has none, by whatever both say; who says nothing may.

        A scanner and a workstation do not fill in the same fields.
        """
        if self.identity and other.identity:
            return self.identity == other.identity
        return all(own == theirs for own, theirs in zip(self[1:], other[1:], strict=True) if own and theirs)


def person_of(header: Header) -> Person:
    """Digest a patient's id, name and birth date, however they are spelt."""
    return Person(*(_digest(text(header, keyword)) for keyword in ("PatientID", "PatientName", "PatientBirthDate")))


def count_persons(persons: Collection[Person]) -> int:
    """Count those that cannot be one another."""
    groups: list[list[Person]] = []
    for person in sorted(persons, reverse=True):  # those with an id first
        group = next((group for group in groups if all(person.may_be(other) for other in group)), None)
        if group is None:
            groups.append([person])
        else:
            group.append(person)
    return len(groups)


def _digest(said: str) -> str:
    plain = "".join(character for character in said.casefold() if character.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest() if plain else ""
