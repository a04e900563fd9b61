"""Acknowledges by a link: once, as its recipient, and only what the recipient may acknowledge now."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from tms.accounts import access
from tms.accounts.access.rows import covered
from tms.accounts.audit import recorder
from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.registry import ACKNOWLEDGE_ALERT, ACKNOWLEDGE_INCIDENT
from tms.alerts.actions.terms import ActionTerms
from tms.alerts.lifecycle import AlreadyAcknowledged, Conflict
from tms.alerts.locks import lock_incidents, lock_terminals
from tms.alerts.models import Alert, AlertState, Contract, Incident
from tms.metrics.instruments import ACTION_LINKS
from tms.notifications.action_links.links import MessageLink
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.subjects import ALERT, INCIDENT, Subject


class LinkOutcome(StrEnum):
    """What a link can do, or did."""

    READY = "ready"
    """It would acknowledge something."""
    ACKNOWLEDGED = "acknowledged"
    USED = "used"
    """It has acknowledged before; one use is all."""
    TAKEN = "taken"
    """Another person acknowledged everything first."""
    RESOLVED = "resolved"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """Its recipient may no longer acknowledge any of it."""


class Result(NamedTuple):
    outcome: LinkOutcome
    number: int = 0
    """Alerts or incidents that can be, or were, acknowledged."""
    by: str = ""
    """The person who acknowledged first."""


def preview(link: MessageLink, *, at: datetime) -> Result:
    """What using it would do now. Changes nothing."""
    if (end := _end(link, at)) is not None:
        return Result(end)
    return _judge(list(_permitted_subjects(link)))


@transaction.atomic
def acknowledge(link: MessageLink, *, at: datetime) -> Result:
    """Acknowledge until recovery. Only the first use changes anything."""
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=link.delivery.pk)
    link.delivery.link_used_at = delivery.link_used_at
    if (end := _end(link, at)) is not None:
        return _count(Result(end))
    subjects = list(_permitted_subjects(link))
    before = _judge(subjects)
    if before.outcome is not LinkOutcome.READY:
        return _count(before)
    number = _acknowledge_all(link, subjects, at)
    if not number:
        return _count(_judge(list(_permitted_subjects(link))))
    Delivery.objects.filter(pk=delivery.pk).update(link_used_at=at)
    return _count(Result(LinkOutcome.ACKNOWLEDGED, number))


def _end(link: MessageLink, at: datetime) -> LinkOutcome | None:
    """Why it does nothing any more, regardless of the alerts."""
    if link.delivery.link_used_at is not None:
        return LinkOutcome.USED
    if link.has_expired(at):
        return LinkOutcome.EXPIRED
    return LinkOutcome.REVOKED if link.is_revoked else None


def _permitted_subjects(link: MessageLink) -> Iterable[Subject]:
    """What the delivery is about, as far as its recipient may acknowledge it."""
    items = link.delivery.items.select_related(*ALERT.related, *INCIDENT.related).order_by("pk")
    subjects: list[Subject] = [item.subject for item in items]
    alerts = _within_rights(link, Alert.objects.filter(pk__in=_keys(subjects, Alert)))
    incidents = _within_rights(link, Incident.objects.filter(pk__in=_keys(subjects, Incident)))
    allowed = {Alert: set(alerts.values_list("pk", flat=True)), Incident: set(incidents.values_list("pk", flat=True))}
    return (subject for subject in subjects if subject.pk in allowed[type(subject)])


def _keys(subjects: Iterable[Subject], model: type[Subject]) -> list[int]:
    return [subject.pk for subject in subjects if isinstance(subject, model)]


def _within_rights[Rows: QuerySet[Alert] | QuerySet[Incident]](link: MessageLink, rows: Rows) -> Rows:
    if link.person is not None:
        return access.permitted(rows, by=link.person, permission=Permission.HANDLE_ALERTS)
    return covered(rows, link.destination.owner)


def _judge(subjects: list[Subject]) -> Result:
    if not subjects:
        return Result(LinkOutcome.REVOKED)
    open_ones = sum(_applies_to(subject) for subject in subjects)
    if open_ones:
        return Result(LinkOutcome.READY, open_ones)
    first = next((one for one in subjects if one.state == AlertState.ACKNOWLEDGED), None)
    if first is None:
        return Result(LinkOutcome.RESOLVED)
    return Result(LinkOutcome.TAKEN, by=name_of(first.acknowledged_by).text if first.acknowledged_by else "")


def _acknowledge_all(link: MessageLink, subjects: Iterable[Subject], at: datetime) -> int:
    by, given = link.person or account_of(link.destination), list(subjects)
    lock_incidents(Incident.objects.filter(pk__in=_keys(given, Incident)))
    lock_terminals(Alert.objects.filter(pk__in=_keys(given, Alert)))
    with recorder.by_link(by, destination=link.destination.name):
        return sum(_acknowledge_one(subject, by, at) for subject in given)


def _acknowledge_one(subject: Subject, by: User, at: datetime) -> bool:
    """Acknowledge one subject. Returns False if it was resolved or acknowledged meanwhile."""
    if not _applies_to(subject):
        return False
    terms: ActionTerms = {"comment": "", "contract": Contract.RECOVERY}
    try:
        with transaction.atomic():
            if isinstance(subject, Alert):
                ACKNOWLEDGE_ALERT.perform(Alert.objects.filter(pk=subject.pk), by=by, at=at, **terms)
            else:
                ACKNOWLEDGE_INCIDENT.perform(Incident.objects.filter(pk=subject.pk), by=by, at=at, **terms)
    except (AlreadyAcknowledged, Conflict):
        return False
    return True


def _applies_to(subject: Subject) -> bool:
    target = ACKNOWLEDGE_ALERT if isinstance(subject, Alert) else ACKNOWLEDGE_INCIDENT
    return target.when.matches(subject)


def account_of(destination: Destination) -> User:
    """The service account under whose name a shared destination acknowledges. It cannot sign in, and has no grants."""
    account, created = User.objects.get_or_create(
        username=f"destination-{destination.pk}",
        is_service=True,
        defaults={"first_name": destination.name[:150], "password": make_password(None)},
    )
    if created:
        recorder.record("created", account, {"name": (None, destination.name)})
    return account


def _count(result: Result) -> Result:
    ACTION_LINKS.labels(result.outcome.value).inc()
    return result
