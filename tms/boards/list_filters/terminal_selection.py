"""Terminals that were selected in their list, and what can be done with them.

Pages for many terminals get a selection as parameters: each UID as `terminal`, or `all=1` with the filter of the list
and the `count` that the person saw. A long selection comes by POST with `prefill=1`, because an address is bounded.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.permissions import Permission
from tms.boards.list_filters.filters import TerminalFilter
from tms.fleet.models import Terminal

MAX_PICKED = 500
"""Terminals that a person picks one by one; for more there is the query."""
MAX_UID_CHARACTERS = 64


class SelectionAction(NamedTuple):
    """A button of the bar below the list."""

    name: str
    label: str | Promise
    icon: str
    address: str | Promise
    permission: Permission
    key: str = ""


def _edit(kind: str) -> str | Promise:
    return reverse_lazy("edit-terminals", args=(kind,))


SELECTION_ACTIONS = (
    SelectionAction("command", _("Command"), "command", reverse_lazy("new-job"), Permission.RUN_JOBS, "c"),
    SelectionAction(
        "maintenance",
        _("Maintenance"),
        "maintenance",
        reverse_lazy("plan-maintenance"),
        Permission.PLAN_MAINTENANCE,
        "m",
    ),
    SelectionAction("tag", pgettext_lazy("action", "Tag"), "tag", _edit("tag"), Permission.MANAGE_GROUPS, "t"),
    SelectionAction("group", _("Add to group"), "groups", _edit("group"), Permission.MANAGE_GROUPS),
    SelectionAction("state", pgettext_lazy("lifecycle", "State"), "power", _edit("state"), Permission.MANAGE_TERMINALS),
    SelectionAction("move", pgettext_lazy("action", "Move"), "sites", _edit("move"), Permission.MANAGE_TERMINALS),
)
"""The buttons, in order. Each address gets the selection."""


@dataclass(frozen=True, slots=True)
class TerminalSelection:
    uids: tuple[str, ...] = ()
    all_of: TerminalFilter | None = None
    """The filter whose terminals are selected, all of them."""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        if query.get("all") == "1":
            return cls(all_of=TerminalFilter.of(query))
        given = (uid.replace("\0", "")[:MAX_UID_CHARACTERS] for uid in query.getlist("terminal")[:MAX_PICKED])
        return cls(tuple(dict.fromkeys(filter(None, given))))

    @property
    def is_empty(self) -> bool:
        return not self.uids and self.all_of is None

    def apply(self, rows: QuerySet[Terminal]) -> QuerySet[Terminal]:
        """The selected ones among `rows`. The query is asked again: it may have others than the person saw."""
        return self.all_of.apply(rows) if self.all_of else rows.filter(uid__in=self.uids)


def is_prefilled(request: HttpRequest) -> bool:
    """Whether a POST only brings a selection that is too long for an address."""
    return request.method == "POST" and request.POST.get("prefill") == "1"
