"""Buttons of the operator actions on a row."""

from typing import NamedTuple, Protocol

from tms.alerts.actions.action import Actionable, OperatorAction
from tms.alerts.actions.approvals import GATED
from tms.alerts.actions.registry import actions_for
from tms.lib.severity import Severity


class ActionRow(Actionable, Protocol):
    """An alert or incident on a board."""

    @property
    def pk(self) -> int: ...

    @property
    def severity(self) -> str: ...

    @property
    def subject(self) -> str:
        """`alert` or `incident`."""
        ...

    @property
    def is_open(self) -> bool: ...

    @property
    def is_acknowledged(self) -> bool: ...

    @property
    def is_past(self) -> bool: ...


class Buttons(NamedTuple):
    """All that the HTML of the buttons depends on."""

    subject: str
    pk: int
    emphasis: str
    """`primary`, `quiet` or nothing: of the first button."""
    actions: tuple[OperatorAction, ...]
    """The actions that apply to the row."""

    @property
    def keyed(self) -> tuple[OperatorAction, ...]:
        """The actions with a keyboard shortcut: a row of a list has no room for more."""
        return tuple(action for action in self.actions if action.key)

    @property
    def names(self) -> str:
        """Separated by spaces: for the bulk bar."""
        return " ".join(action.name for action in self.actions)

    @property
    def names_among_alerts(self) -> str:
        """The names of the actions that a selection of alerts and incidents offers together."""
        return " ".join(action.name for action in self.actions if action.name not in GATED)


def buttons_of(row: ActionRow) -> Buttons:
    return Buttons(row.subject, row.pk, _emphasis(row), () if row.is_past else actions_for(row.subject, row))


def _emphasis(row: ActionRow) -> str:
    if row.is_acknowledged:
        return "quiet"
    return "primary" if row.is_open and row.severity == Severity.CRITICAL else ""
