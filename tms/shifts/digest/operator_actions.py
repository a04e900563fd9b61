"""Operator actions of a shift, with their comments. A bulk action is one line."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import get_language

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.alerts.models import Alert, Transition, TransitionKind

MAX_READ = 5_000
LEFT_OUT = (TransitionKind.CLAIMED, TransitionKind.UNCLAIMED)
"""Claims expire after minutes, so they are not listed."""


class ActionLine(NamedTuple):
    at: datetime
    kind: str
    by: Name
    to: Name | None
    comment: str
    alert: int
    """The first of the alerts."""
    site: str
    rule: str
    uid: str
    number: int = 1

    @property
    def others(self) -> int:
        return self.number - 1

    @property
    def label(self) -> str:
        return str(TransitionKind(self.kind).label)


COLUMNS = (
    *("at", "kind", "comment", "alert", "by", "to", "alert__terminal__uid"),
    *(f"alert__rule__{name}" for name in ("name", "name_ja")),
    *(f"alert__terminal__site__{name}" for name in ("name", "name_ja")),
)
"""Whole models would take five times as long: an alert storm has thousands of transitions."""


def operator_actions(alerts: QuerySet[Alert], since: datetime, until: datetime) -> list[ActionLine]:
    """The actions in chronological order (index: transition_at)."""
    rows = Transition.objects.filter(at__gte=since, at__lt=until, by__isnull=False, alert__in=alerts)
    rows = rows.exclude(kind__in=LEFT_OUT)
    steps = list(rows.order_by("at", "pk").values(*COLUMNS)[:MAX_READ])
    people = User.objects.in_bulk({step[who] for step in steps for who in ("by", "to") if step[who]})
    names = {pk: name_of(person) for pk, person in people.items()}
    return _merge(_line(step, names) for step in steps)


def _line(step: Mapping[str, Any], names: Mapping[int, Name]) -> ActionLine:
    return ActionLine(
        step["at"].replace(microsecond=0),
        step["kind"],
        names[step["by"]],
        names.get(step["to"]),
        step["comment"],
        step["alert"],
        local(step["alert__terminal__site__name"], step["alert__terminal__site__name_ja"]),
        local(step["alert__rule__name"], step["alert__rule__name_ja"]),
        step["alert__terminal__uid"],
    )


def local(name: str, name_ja: str) -> str:
    """The name in the active language."""
    return name_ja if name_ja and get_language() == "ja" else name


def _merge(found: Iterable[ActionLine]) -> list[ActionLine]:
    lines: dict[tuple[object, ...], ActionLine] = {}
    for action in found:
        same = (action.at, action.kind, action.by, action.to, action.comment)
        known = lines.get(same)
        lines[same] = action if known is None else known._replace(number=known.number + 1)
    return list(lines.values())
