"""A digest as Markdown in the active language, for files, mail and the clipboard."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext

from tms.lib.calendar.local_time import local_time
from tms.lib.severity import Severity
from tms.shifts.digest.changes import ChangeLine
from tms.shifts.digest.digest import NoteLine, SeverityCount, ShiftDigest, SignOffLine
from tms.shifts.digest.incidents import IncidentLine
from tms.shifts.digest.maintenance import MaintenanceLine
from tms.shifts.digest.open_alerts import OpenAlertLine
from tms.shifts.digest.operator_actions import ActionLine


def title(digest: ShiftDigest, zone: ZoneInfo) -> str:
    return gettext("Shift digest %(span)s") % {"span": span(digest, zone)}


def span(digest: ShiftDigest, zone: ZoneInfo) -> str:
    return f"{moment(digest.since, zone)} – {moment(digest.until, zone)}"


def markdown(digest: ShiftDigest, zone: ZoneInfo) -> str:
    return "\n".join(lines(digest, zone)) + "\n"


def lines(digest: ShiftDigest, zone: ZoneInfo) -> Iterator[str]:
    yield f"# {title(digest, zone)}"
    yield ""
    yield gettext("Times in %(zone)s.") % {"zone": zone.key}
    yield ""
    yield from (f"- {line}" for line in totals(digest))
    yield from (f"- {_sign_off(one, zone)}" for one in digest.sign_offs)
    if digest.incidents:
        yield from _section(gettext("Incidents"), [_incident(one, zone) for one in digest.incidents])
    yield from _section(gettext("Notes"), [_note(note, zone) for note in digest.notes])
    unresolved = [_open_incident(one) for one in digest.unresolved_incidents]
    yield from _section(gettext("Unresolved"), [*unresolved, *(_open_alert(one, zone) for one in digest.open)])
    yield from _section(gettext("Opened and resolved"), [_change(one) for one in digest.changes], digest.hidden_changes)
    yield from _section(
        gettext("Operator actions"), [_action(one, zone) for one in digest.actions], digest.hidden_actions
    )
    yield from _section(gettext("Maintenance"), [_maintenance(work, zone) for work in digest.maintenance])
    yield from _section(
        gettext("Maintenance in the next 24 hours"), [_maintenance(work, zone) for work in digest.upcoming_maintenance]
    )


def totals(digest: ShiftDigest) -> list[str]:
    counted = digest.totals
    open_now = {"open": counted.open, "unacknowledged": counted.unacknowledged}
    return [
        gettext("Opened: %(number)s") % {"number": severities(counted.opened)},
        gettext("Resolved: %(number)s") % {"number": severities(counted.closed)},
        gettext("Unresolved: %(open)s, unacknowledged: %(unacknowledged)s") % open_now,
    ]


def severities(number: SeverityCount) -> str:
    """`5 (Critical 2, Warning 3)`."""
    parts = [f"{Severity(name).label} {counted}" for name, counted in number.by_severity]
    return f"{number.total} ({gettext(', ').join(parts)})" if parts else "0"


def moment(at: datetime, zone: ZoneInfo) -> str:
    # Translators: day and time without the year, in Django's date format
    return date_format(local_time(at, zone), pgettext("date format", "j M H:i"))


def _section(heading: str, entries: Sequence[str], hidden: int = 0) -> Iterator[str]:
    yield ""
    yield f"## {heading}"
    yield ""
    yield from (f"- {entry}" for entry in entries)
    if hidden:
        yield "- " + ngettext("and %d more", "and %d more", hidden) % hidden
    if not entries:
        yield gettext("None.")


def _note(note: NoteLine, zone: ZoneInfo) -> str:
    who = note.by.text if note.by else "–"
    return _about(f"{moment(note.at, zone)} {who}", _within(note.text))


def _incident(one: IncidentLine, zone: ZoneInfo) -> str:
    values = {
        "what": f"**{Severity(one.severity).label}** {_plain(one.title)}",
        "since": moment(one.opened_at, zone),
        "until": moment(one.resolved_at, zone) if one.resolved_at else "",
    }
    if one.resolved_at:
        return gettext("%(what)s, from %(since)s to %(until)s") % values
    who = gettext("Acknowledged by %(who)s.") % {"who": one.by.text} if one.by else gettext("Unacknowledged.")
    return gettext("%(what)s, since %(since)s, unresolved. %(who)s") % (values | {"who": who})


def _open_incident(one: IncidentLine) -> str:
    what = f"**{Severity(one.severity).label}** {_plain(one.title)}"
    return _about(gettext("Incident %(number)s") % {"number": one.pk}, what)


def _open_alert(one: OpenAlertLine, zone: ZoneInfo) -> str:
    values = {
        "what": f"**{Severity(one.severity).label}** {_at(one.site, one.rule)}",
        "terminal": _terminal(one.uid, one.label),
        "since": moment(one.opened_at, zone),
        "who": _responsible(one, zone),
    }
    line = gettext("%(what)s, %(terminal)s, since %(since)s. %(who)s") % values
    if one.is_suppressed:
        line += " " + gettext("Not notified: maintenance.")
    return f"{line} “{_plain(one.comment)}”" if one.comment else line


def _responsible(one: OpenAlertLine, zone: ZoneInfo) -> str:
    if one.by is None:
        return gettext("Unacknowledged.")
    terms = gettext("until %(until)s") % {"until": moment(one.until, zone)} if one.until else one.terms
    values = {"who": one.by.text, "terms": terms}
    return gettext("Snoozed by %(who)s %(terms)s.") % values if one.is_snoozed else _has(values)


def _has(values: dict[str, str]) -> str:
    return (
        gettext("Acknowledged by %(who)s %(terms)s.") % values
        if values["terms"]
        else gettext("Acknowledged by %(who)s.") % values
    )


def _change(one: ChangeLine) -> str:
    values = {"opened": one.opened, "closed": one.closed, "standing": one.open, "terminals": one.terminals}
    numbers = (
        gettext("opened %(opened)d, resolved %(closed)d, unresolved %(standing)d; terminals: %(terminals)d") % values
    )
    if one.suppressed:
        numbers += "; " + gettext("not notified because of maintenance: %(number)d") % {"number": one.suppressed}
    what = gettext(", ").join((str(Severity(one.severity).label), _at(one.site, one.rule)))
    return _about(what, numbers)


def _sign_off(one: SignOffLine, zone: ZoneInfo) -> str:
    values = {"who": one.by.text if one.by else "–", "at": moment(one.at, zone)}
    period = {"since": moment(one.since, zone), "until": moment(one.until, zone)}
    return gettext("Signed off by %(who)s, %(at)s (%(since)s – %(until)s)") % (values | period)


def _action(one: ActionLine, zone: ZoneInfo) -> str:
    what = f"{_at(one.site, one.rule)} ({_plain(one.uid)})"
    if one.number > 1:
        more = one.number - 1
        what += " " + ngettext("and %d more", "and %d more", more) % more
    to = f" → {one.to.text}" if one.to else ""
    comment = f" “{_plain(one.comment)}”" if one.comment else ""
    did = gettext(", ").join((f"{one.label}{to}", f"{what}{comment}"))
    return _about(f"{moment(one.at, zone)} {one.by.text}", did)


def _maintenance(work: MaintenanceLine, zone: ZoneInfo) -> str:
    by = gettext(", ") + work.by.text if work.by else ""
    period = f"{moment(work.since, zone)} – {moment(work.until, zone)}"
    return _about(period, f"{_plain(work.note)} ({coverage_text(work)}){by}")


def coverage_text(work: MaintenanceLine) -> str:
    terminals = ngettext("%(number)s terminal", "%(number)s terminals", work.terminals) % {"number": work.terminals}
    named: Iterable[str] = map(_plain, work.covers)
    return gettext(", ").join([*named, *([terminals] if work.terminals else [])])


def _at(site: str, rule: str) -> str:
    return _about(_plain(site), _plain(rule))


def _about(what: str, text: str) -> str:
    return gettext("%(what)s: %(title)s") % {"what": what, "title": text}


def _terminal(uid: str, label: str) -> str:
    return f"{_plain(uid)} ({_plain(label)})" if label else _plain(uid)


def _plain(text: str) -> str:
    """Escape user-defined text and put it on one line."""
    return "".join(f"\\{char}" if char in MARKUP else char for char in " ".join(text.split()))


def _within(text: str) -> str:
    """The text of a note: its line breaks and Markdown stay within its entry."""
    return text.strip().replace("\r\n", "\n").replace("\n", "\n  ")


MARKUP = frozenset("\\`*[]<>")
