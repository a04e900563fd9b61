"""The accounts of the demo."""

from typing import NamedTuple


class DemoPerson(NamedTuple):
    username: str
    first_name: str
    last_name: str
    password: str


PEOPLE = (
    DemoPerson("demo", "Mei", "Tanaka", "watch-the-fleet"),
    DemoPerson("sato", "Ken", "Sato", "watch-the-fleet"),
)
VISITOR = PEOPLE[0]
"""Whose username and password the sign-in page of a demo already has."""
