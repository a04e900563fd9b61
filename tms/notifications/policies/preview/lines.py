"""A preview in words, for the page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_noop, ngettext, pgettext

from tms.accounts.access import Person, visible
from tms.alerts.suppression.reasons import Reason
from tms.lib.calendar.durations import duration_text, spell
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.policies.preview.case import PreviewCase
from tms.notifications.policies.preview.timeline import PreviewItem
from tms.notifications.policies.schedule import REASON as OUTSIDE_HOURS
from tms.notifications.policies.steps import SKIPPED, SkipReason
from tms.notifications.transports import TRANSPORTS

MISMATCHES = {
    "owner": gettext_noop("It does not apply to this alert: another owner."),
    "severities": gettext_noop("It does not apply to this alert: another severity."),
    "sites": gettext_noop("It does not apply to this alert: another site."),
    "rules": gettext_noop("It does not apply to this alert: another rule."),
    "groups": gettext_noop("It does not apply to this alert: another group."),
}


@dataclass(frozen=True, kw_only=True)
class PreviewLine:
    at: datetime
    offset: str
    """The time since the alert opened: `5:00`, `1:05:00`."""
    icon: str
    text: str
    notes: Sequence[str] = ()
    until: datetime | None = None
    """The end of the last note."""
    is_suppressed: bool = False


def shown(items: Iterable[PreviewItem], *, to: Person) -> list[PreviewItem]:
    """The items whose destination or rotation the person sees."""
    items = list(items)
    destinations = _pks(visible(Destination.objects.filter(pk__in=_destinations(items)), to=to))
    rotations = _pks(visible(Rotation.objects.filter(pk__in=_rotations(items)), to=to))
    return [
        item
        for item in items
        if item.named is None
        or (item.destination is not None and item.destination.pk in destinations)
        or (item.destination is None and item.named.rotation is not None and item.named.rotation.pk in rotations)
    ]


def lines_of(items: Iterable[PreviewItem], *, at: datetime, names_policies: bool) -> list[PreviewLine]:
    """The lines in the order in which they happen. `names_policies`: there may be several."""
    items = list(items)
    repeats = {item.policy.pk: item for item in items if item.is_repeat}
    lines = [_line(item, at, names_policies) for item in items if not item.is_repeat]
    lines += [_repeat(item, at, names_policies) for item in repeats.values()]
    return sorted(lines, key=lambda line: line.at)


def why_empty(policies: Sequence[Policy], case: PreviewCase) -> str:
    """Why a single policy notifies nobody; empty for several."""
    if len(policies) != 1:
        return ""
    if not policies[0].enabled:
        return gettext("The policy is disabled.")
    mismatch = policies[0].mismatch(case.concern)
    return gettext(MISMATCHES[mismatch]) if mismatch else ""


def _line(item: PreviewItem, opened_at: datetime, names_policies: bool) -> PreviewLine:
    is_sent = not item.reason
    happens_at = item.sent_at if is_sent and item.sent_at else item.at
    return PreviewLine(
        at=happens_at,
        offset=spell((happens_at - opened_at).total_seconds()),
        icon=_icon(item),
        text=_text(item),
        notes=[*_notes(item), *([item.policy.name] if names_policies else [])],
        until=item.until,
        is_suppressed=not is_sent,
    )


def _repeat(item: PreviewItem, opened_at: datetime, names_policies: bool) -> PreviewLine:
    every = gettext("every %(span)s until acknowledged") % {"span": duration_text(item.policy.repeat_s)}
    return PreviewLine(
        at=item.at,
        offset=spell((item.at - opened_at).total_seconds()),
        icon="undo",
        text=gettext("Everybody again"),
        notes=[every, *([item.policy.name] if names_policies else [])],
    )


def _icon(item: PreviewItem) -> str:
    if item.reason:
        return "muted"
    destination = item.destination
    return TRANSPORTS[destination.kind].icon if destination and destination.kind in TRANSPORTS else "letter"


def _text(item: PreviewItem) -> str:
    if item.named is None:
        return gettext("Waits")
    if item.destination is None:
        return item.named.rotation.name if item.named.rotation else ""
    return pgettext("destination, kind", "%(name)s, %(kind)s") % {
        "name": item.destination.name,
        "kind": item.destination.get_kind_display(),
    }


def _notes(item: PreviewItem) -> Iterator[str]:
    destination, named = item.destination, item.named
    if named is None:
        yield _suppression(item.reason)
        return
    if named.rotation is not None and destination is not None:
        who = destination.person.display_name if destination.person else ""
        yield gettext("%(who)s, on call in %(rotation)s") % {"who": who, "rotation": named.rotation.name}
    if item.reason:
        yield gettext(SKIPPED[SkipReason(item.reason)])
        return
    if item.step > 1:
        yield gettext("only if nobody acknowledged by then")
    if destination is not None and destination.failures:
        yield gettext("not responding") + ngettext(
            ", %(n)d failed attempt", ", %(n)d failed attempts", destination.failures
        ) % {"n": destination.failures}


def _suppression(reason: str) -> str:
    if reason == OUTSIDE_HOURS:
        return gettext("outside of its hours")
    return str(Reason(reason).label)


def _pks(rows: Iterable[Destination | Rotation]) -> set[int]:
    return {row.pk for row in rows}


def _destinations(items: Iterable[PreviewItem]) -> set[int]:
    return {item.destination.pk for item in items if item.destination is not None}


def _rotations(items: Iterable[PreviewItem]) -> set[int]:
    return {item.named.rotation.pk for item in items if item.named is not None and item.named.rotation is not None}
