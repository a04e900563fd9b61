"""Tags, attributes and dynamic groups of a new demo."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from tms.accounts.models import User
from tms.fleet.groups import dynamic
from tms.fleet.groups import services as groups
from tms.fleet.labels.attributes import save_attribute, set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, AttributeSubject, AttributeType, Group, Site, Terminal, TerminalKind

TAGS = (("lobby", 3), ("step-free", 4), ("pilot", 7))
"""A tag, and how many terminals there are for each that has it."""
DAY_AND_NIGHT = ("day-and-night", "HND")
"""The tag of a site, and its code."""
FLOORS = ("1", "1", "2", "3")
ATTRIBUTES = (
    {"name": "floor", "label": "Floor", "label_ja": "階", "type": AttributeType.NUMBER},
    {"name": "lease_end", "label": "Lease ends", "label_ja": "リース満了", "type": AttributeType.DAY},
    {"name": "operator", "label": "Operator", "label_ja": "運営会社", "subject": AttributeSubject.SITE},
)
GROUPS = (
    ("Kiosks with the newest firmware", "kind:kiosk firmware>=4.8.2"),
    ("Pilot", "tag:pilot -kind:signage"),
)
"""Name and query."""


def seed_labels(terminals: Sequence[Terminal], *, at: datetime) -> None:
    for name, each in TAGS:
        change_tags(Terminal, [one.pk for one in terminals[::each]], add=(name,))
    tag, code = DAY_AND_NIGHT
    change_tags(Site, [Site.objects.get(code=code).pk], add=(tag,))
    floor, lease_end, operator = map(_defined, ATTRIBUTES)
    for number, text in enumerate(FLOORS):
        set_values(Terminal, [one.pk for one in terminals[number :: len(FLOORS)]], {floor: text})
    payment = [one.pk for one in terminals if one.kind == TerminalKind.PAYMENT]
    set_values(Terminal, payment, {lease_end: str(date(at.year + 1, 3, 31))})
    set_values(Site, list(Site.objects.values_list("pk", flat=True)), {operator: "Example Retail"})


def seed_dynamic_groups(by: User, *, at: datetime) -> None:
    for name, query in GROUPS:
        if not Group.objects.filter(name=name).exists():
            dynamic.set_query(groups.create_group(name), query, by=by, at=at - timedelta(days=5))


def _defined(values: Mapping[str, str]) -> Attribute:
    if stored := Attribute.objects.filter(name=values["name"]).first():
        return stored
    made = Attribute(**values)
    save_attribute(made)
    return made
