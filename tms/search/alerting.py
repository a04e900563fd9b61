"""Incidents, alerts, rules and maintenance windows that a search finds."""

from functools import reduce
from operator import and_

from django.db.models import Case, Q, When
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import scope_of, visible
from tms.alerts.models import Alert, Incident, IncidentState, Rule
from tms.alerts.models.maintenance import Window
from tms.alerts.rule_kinds import RULE_KINDS
from tms.alerts.search import NUMBER, alerts_named, incidents_named
from tms.boards.pages import RenderContext
from tms.boards.rows.alerts import AlertRow, alert_rows
from tms.boards.rows.incidents import IncidentRow
from tms.search.hits import Hit, HitGroup, SourceQuery, count_hits, fit_of, join_texts, listing


def incidents(search: SourceQuery) -> HitGroup:
    """Unresolved ones first, then the newest."""
    rows = visible(Incident.objects.filter(reduce(and_, map(incidents_named, _plain(search)))), to=search.person)
    is_past = Case(When(state=IncidentState.RESOLVED, then=1), default=0)
    pks = list(rows.order_by(is_past, "-opened_at").values_list("pk", flat=True)[: search.limit])
    found = RenderContext(search.at, scope_of(search.person)).incidents(pks)
    hits = [_incident_hit(incident, search) for incident in found]
    more = listing("incidents", q=search.text)
    return HitGroup("incidents", _("Incidents"), hits, count_hits(rows, pks, search.limit), more)


def alerts(search: SourceQuery) -> HitGroup:
    """Unresolved ones, the most urgent first. A number also finds the alert that has it, even if it is resolved."""
    numbers = _numbers(_plain(search))
    named = Alert.objects.unresolved().filter(reduce(and_, map(alerts_named, _plain(search)))).exclude(pk__in=numbers)
    rows = visible(named, to=search.person)
    numbered = visible(Alert.objects.filter(pk__in=numbers), to=search.person)
    pks = [*numbered.values_list("pk", flat=True), *rows.by_urgency().values_list("pk", flat=True)[: search.limit]]
    found = alert_rows(pks)
    hits = [_alert_hit(found[pk], search) for pk in pks[: search.limit] if pk in found]
    more = listing("alerts", q=search.text)
    return HitGroup("alerts", _("Alerts"), hits, len(pks) if len(pks) < search.limit else rows.count(), more)


def rules(search: SourceQuery) -> HitGroup:
    named = (Q(name__icontains=term) | Q(name_ja__icontains=term) | Q(metric__icontains=term) for term in search.terms)
    rows = visible(Rule.objects.not_deleted().filter(reduce(and_, named)), to=search.person).order_by("name", "pk")
    found = list(rows[: search.limit])
    hits = [_rule_hit(rule, search) for rule in found]
    return HitGroup("rules", _("Rules"), hits, count_hits(rows, found, search.limit))


def windows(search: SourceQuery) -> HitGroup:
    """Maintenance windows that are not over, by their purpose."""
    purposes = (Q(note__icontains=term) for term in search.terms)
    rows = visible(Window.objects.current().filter(reduce(and_, purposes)), to=search.person).order_by("occurs_at")
    found = list(rows[: search.limit])
    hits = [_window_hit(window, search) for window in found]
    return HitGroup("windows", _("Maintenance"), hits, count_hits(rows, found, search.limit))


def _plain(search: SourceQuery) -> tuple[str, ...]:
    """Numbers as people write them: `#4127`."""
    return tuple(term.removeprefix("#") or term for term in search.terms)


def _numbers(terms: tuple[str, ...]) -> list[int]:
    return [int(term) for term in terms if len(terms) == 1 and NUMBER.fullmatch(term)]


def _incident_hit(incident: IncidentRow, search: SourceQuery) -> Hit:
    return Hit(
        kind="incident",
        name=str(incident.pk),
        title=incident.title,
        href=reverse("incident", args=(incident.pk,)),
        detail=join_texts(str(incident.pk), _responsible(incident)),
        icon="check" if incident.is_resolved else "",
        severity="" if incident.is_resolved else incident.severity,
        since=incident.opened_at,
        fit=fit_of(_plain(search), str(incident.pk), incident.title),
        row=incident,
    )


def _alert_hit(alert: AlertRow, search: SourceQuery) -> Hit:
    return Hit(
        kind="alert",
        name=str(alert.pk),
        title=pgettext("alert", "%(site)s: %(rule)s") % {"site": alert.site_label.name, "rule": alert.rule},
        href=reverse("alert", args=(alert.pk,)),
        detail=join_texts(alert.uid, _responsible(alert)),
        icon="check" if alert.is_resolved else "",
        severity="" if alert.is_resolved else alert.severity,
        since=alert.opened_at,
        fit=fit_of(_plain(search), str(alert.pk), alert.uid, str(alert.rule)),
        row=alert,
    )


def _responsible(row: AlertRow | IncidentRow) -> str:
    if row.is_acknowledged and row.acknowledged_by:
        return gettext("acknowledged by %(name)s") % {"name": row.acknowledged_by.text}
    if row.is_open:
        return gettext("unacknowledged")
    return gettext("resolved") if row.is_resolved else gettext("snoozed")


def _rule_hit(rule: Rule, search: SourceQuery) -> Hit:
    return Hit(
        kind="rule",
        name=str(rule.pk),
        title=rule.local_name,
        href=rule.get_absolute_url(),
        icon="rules",
        detail=str(RULE_KINDS[rule.kind_name].label),
        end="" if rule.enabled else gettext("off"),
        fit=fit_of(search.terms, rule.name, rule.name_ja),
    )


def _window_hit(window: Window, search: SourceQuery) -> Hit:
    return Hit(
        kind="window",
        name=str(window.pk),
        title=window.note,
        href=window.get_absolute_url(),
        icon="maintenance",
        detail=gettext("active") if window.is_active else gettext("planned"),
        since=window.occurs_at,
        fit=fit_of(search.terms, window.note),
    )
