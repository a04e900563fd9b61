"""Contacts for an incident."""

from typing import NamedTuple

from tms.alerts.models import Incident


class Contact(NamedTuple):
    name: str
    phone: str
    email: str
    note: str

    @property
    def dialled(self) -> str:
        """The number without what people write between digits."""
        return "".join(character for character in self.phone if character.isdigit() or character == "+")


def contacts_of(incident: Incident) -> tuple[Contact, ...]:
    """The contacts of the incident's site, for people who see the incident."""
    if incident.site is None:
        return ()
    rows = incident.site.contacts.values_list("name", "phone", "email", "note")
    return tuple(Contact(*row) for row in rows)
