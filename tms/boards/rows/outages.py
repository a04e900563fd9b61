"""Outages of a terminal in words: cause, duration and evidence."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, DurationField, ExpressionWrapper, F, Sum
from django.utils.translation import gettext, gettext_noop, ngettext

from tms.fleet.models import Cause, Terminal
from tms.fleet.models.outage import Outage, OutageCause
from tms.lib.calendar.durations import spell

SUMMED_TIME = timedelta(days=30)
DROPPED = {
    Cause.NODE_LOST: gettext_noop("TMS node %(node)s was lost"),
    Cause.NODE_STOPPED: gettext_noop("TMS node %(node)s restarted"),
}


class OutageFacts(NamedTuple):
    """An outage that ended."""

    cause: str
    seconds: float
    lost_by: str
    node: str
    has_restarted: bool | None
    uptime_s: float | None
    made: int | None
    sent: int | None


class CauseSum(NamedTuple):
    cause: str
    number: int
    seconds: float


def facts_of(row: Outage) -> OutageFacts:
    assert row.ended_at is not None
    return OutageFacts(
        cause=row.cause,
        seconds=(row.ended_at - row.began_at).total_seconds(),
        lost_by=row.lost_by,
        node=row.node,
        has_restarted=row.has_restarted,
        uptime_s=row.uptime_s,
        made=row.reports_made,
        sent=row.reports_sent,
    )


def sums_by_cause(terminal: Terminal, *, at: datetime, until: datetime | None = None) -> Sequence[CauseSum]:
    """The last 30 days by cause, the longest total first (index: outage_terminal). `until`: of a past instant."""
    length = ExpressionWrapper(F("ended_at") - F("began_at"), output_field=DurationField())
    rows = Outage.objects.over().filter(terminal=terminal, ended_at__gt=at - SUMMED_TIME)
    if until is not None:
        rows = rows.filter(ended_at__lte=until)
    grouped = rows.values_list("cause").annotate(number=Count("pk"), length=Sum(length)).order_by("-length", "cause")
    return tuple(CauseSum(cause, number, total.total_seconds()) for cause, number, total in grouped)


def evidence(outage: OutageFacts) -> str:
    """The evidence for the cause."""
    text = EVIDENCE[OutageCause(outage.cause)](outage)
    if outage.node and outage.cause != OutageCause.SERVER:
        return gettext("%(evidence)s; it began when TMS node %(node)s dropped the connection") % {
            "evidence": text,
            "node": outage.node,
        }
    return text


def _network(outage: OutageFacts) -> str:
    if outage.has_restarted:
        return ngettext(
            "the terminal kept running offline (%(n)s report from that time) and restarted later",
            "the terminal kept running offline (%(n)s reports from that time) and restarted later",
            outage.sent or 0,
        ) % {"n": outage.sent}
    return _went_on(outage)


def _went_on(outage: OutageFacts) -> str:
    """What happened in an outage within one boot."""
    if not outage.made:
        return gettext("the terminal kept running")
    numbers = {"made": outage.made, "sent": outage.sent}
    if outage.sent is None:
        text = ngettext(
            "the terminal kept running and recorded %(made)s report meanwhile",
            "the terminal kept running and recorded %(made)s reports meanwhile",
            outage.made,
        )
    elif outage.sent < outage.made:
        text = gettext("the terminal kept running; %(sent)s of %(made)s reports from that time arrived")
    else:
        text = ngettext(
            "the terminal kept running and sent %(sent)s report afterwards",
            "the terminal kept running and sent %(sent)s reports afterwards",
            outage.sent,
        )
    return text % numbers


def _power(outage: OutageFacts) -> str:
    return gettext("the device restarted; uptime when it returned: %(uptime)s") % _uptime(outage)


def _application(outage: OutageFacts) -> str:
    if outage.has_restarted:
        return gettext("the software restarted; uptime of the device: %(uptime)s") % _uptime(outage)
    return gettext("the connection stayed open, but no data arrived")


def _server(outage: OutageFacts) -> str:
    if not outage.node:
        return gettext("TMS received the reports in time but stored them late")
    happened = gettext(DROPPED[Cause(outage.lost_by)]) % {"node": outage.node}
    return gettext("%(happened)s; %(evidence)s") % {"happened": happened, "evidence": _went_on(outage)}


def _planned_cause(outage: OutageFacts) -> str:
    return str(Cause(outage.lost_by).label)


def _unclear(outage: OutageFacts) -> str:
    if outage.has_restarted:
        return gettext("the terminal restarted; it does not report the uptime of the device")
    return gettext("the terminal did not restart, but made no reports meanwhile")


def _uptime(outage: OutageFacts) -> Mapping[str, str]:
    return {"uptime": spell(outage.uptime_s or 0)}


EVIDENCE: Mapping[OutageCause, Callable[[OutageFacts], str]] = {
    OutageCause.NETWORK: _network,
    OutageCause.POWER: _power,
    OutageCause.APPLICATION: _application,
    OutageCause.SERVER: _server,
    OutageCause.PLANNED: _planned_cause,
    OutageCause.UNCLEAR: _unclear,
}
