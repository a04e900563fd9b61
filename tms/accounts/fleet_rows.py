"""Sites, groups, terminals and placements, as far as accounts reads them: to compute which rows a scope covers.

The fleet is a layer above, which imports accounts. So its models are found by their names, in this module only.
"""

from typing import Any, Protocol

from django.apps import apps
from django.db.models import Model, QuerySet


class FleetRow(Protocol):
    """A site or a group: its text is its name."""

    @property
    def pk(self) -> Any: ...


def sites() -> QuerySet[Any]:
    """All sites. Each has a `region`, which may be empty."""
    return _all(apps.get_model("fleet", "Site"))


def regions() -> QuerySet[Any]:
    """All regions. Each has a `name`, by which everything refers to it."""
    return _all(apps.get_model("fleet", "Region"))


def groups() -> QuerySet[Any]:
    """The groups whose members people choose. The others are no scope: who changes a terminal would change who sees
    it.
    """
    return _all(apps.get_model("fleet", "Group")).filter(query="")


def terminals() -> QuerySet[Any]:
    """All terminals. Each has a `site`."""
    return _all(apps.get_model("fleet", "Terminal"))


def memberships() -> QuerySet[Any]:
    """One row, with its `group` and its `terminal`, for each terminal in a group."""
    return _all(apps.get_model("fleet", "Group").terminals.through)


def open_placements() -> QuerySet[Any]:
    """One row, with its `device` and its `terminal`, for each device that serves now."""
    return _all(apps.get_model("fleet", "Placement")).filter(ended_at=None)


def _all(model: type[Model]) -> QuerySet[Any]:
    return model._base_manager.all()
