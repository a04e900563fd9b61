"""The three kinds of rows that have tags and attributes, and where each stores them."""

from dataclasses import dataclass
from typing import Any

from django.db import models

from tms.fleet.models import (
    AttributeSubject,
    Device,
    DeviceAttribute,
    DeviceTag,
    Placement,
    Site,
    SiteAttribute,
    SiteTag,
    Terminal,
    TerminalAttribute,
    TerminalTag,
)


@dataclass(frozen=True, slots=True)
class Subject:
    rows: type[models.Model]
    tags: Any
    """The model of its tags; its foreign key is called `name`."""
    values: Any
    name: str

    @property
    def column(self) -> str:
        return f"{self.name}_id"


SUBJECTS = {
    AttributeSubject.TERMINAL: Subject(Terminal, TerminalTag, TerminalAttribute, "terminal"),
    AttributeSubject.SITE: Subject(Site, SiteTag, SiteAttribute, "site"),
    AttributeSubject.DEVICE: Subject(Device, DeviceTag, DeviceAttribute, "device"),
}
BY_MODEL = {subject.rows: subject for subject in SUBJECTS.values()}


def terminals_of(subject: AttributeSubject, rows: models.QuerySet[Any]) -> models.Q:
    """The terminals that `rows` of tags or values are about: a site's are those of its terminals, too."""
    match subject:
        case AttributeSubject.TERMINAL:
            return models.Q(pk__in=rows.values("terminal"))
        case AttributeSubject.SITE:
            return models.Q(site__in=rows.values("site"))
        case AttributeSubject.DEVICE:
            placed = Placement.objects.open().filter(device__in=rows.values("device"))
            return models.Q(pk__in=placed.values("terminal"))
