"""Contacts for a site or an incident."""

from typing import NamedTuple

from tms.alerts.models import Incident
from tms.fleet.models import Site


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
    return contacts_of_site(incident.site)


def contacts_of_site(site: Site) -> tuple[Contact, ...]:
    """The contacts of a site, for people who see it."""
    return tuple(Contact(*row) for row in site.contacts.values_list("name", "phone", "email", "note"))
