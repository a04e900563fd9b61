"""Adds and removes browsers of people. Each is a destination, so that deliveries, retries and metrics are the usual."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import transaction

from tms.accounts.access import within
from tms.accounts.audit import recorder
from tms.accounts.audit.recorder import acting
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.accounts.scope import Scope
from tms.accounts.sessions import user_agent
from tms.alerts.models import Alert, Incident
from tms.lib.encryption import DecryptionError
from tms.notifications.models.delivery import Delivery, DeliveryItem, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.models.device import PushDevice, PushKey
from tms.notifications.models.policy import Policy, Step
from tms.notifications.transports.push.subscription import Subscription

MAX_BROWSERS = 10
"""Browsers of one person."""
KIND = "push"


class TooManyBrowsers(Exception):
    """The person already has `MAX_BROWSERS` browsers."""


class ForeignBrowser(Exception):
    """Another person has a browser with this address, and other keys."""


class UserAgent(NamedTuple):
    """What the request says about the browser."""

    header: str
    language: str


@transaction.atomic
def add(person: User, subscription: Subscription, agent: UserAgent, *, key: PushKey, at: datetime) -> PushDevice:
    """Notify `person` in this browser, in place of another person who used it before. Idempotent.

    Raises TooManyBrowsers and ForeignBrowser.
    """
    User.objects.select_for_update().get(pk=person.pk)
    digest = digest_of(subscription.address)
    known = PushDevice.objects.filter(address_digest=digest).select_related("destination").first()
    if known is not None and known.destination.person_id != person.pk:
        if not _has_keys(known, subscription):
            raise ForeignBrowser
        remove(known, at=at)
        known = None
    if known is None and PushDevice.objects.of(person).count() >= MAX_BROWSERS:
        raise TooManyBrowsers
    return _store(known, person, subscription, agent, digest=digest, key=key, at=at)


@transaction.atomic
def remove(browser: PushDevice, *, at: datetime) -> None:
    """Its address and keys are deleted, and what it was not sent is withdrawn. Its history stays."""
    destination = browser.destination
    browser.delete()
    Destination.objects.filter(pk=destination.pk).update(enabled=False, deleted_at=at, encrypted_secrets="")
    waiting = Delivery.objects.filter(destination=destination, state=DeliveryState.WAITING)
    waiting.update(state=DeliveryState.WITHDRAWN, ended_at=at)
    recorder.record("deleted", destination)


def remove_gone(destination: Destination, *, at: datetime) -> None:
    """The push service no longer knows it: the person revoked the permission, or the browser is gone."""
    if (
        browser := PushDevice.objects.filter(destination=destination).select_related("destination").first()
    ) is not None:
        with acting(Via.CLOCK):
            remove(browser, at=at)


@transaction.atomic
def remove_of_old_keys(*, at: datetime) -> int:
    """Delete older keys with their browsers, whose people must add them again. Returns how many browsers."""
    old = list(PushDevice.objects.filter(key__is_current=False).select_related("destination"))
    for browser in old:
        remove(browser, at=at)
    for key in PushKey.objects.filter(is_current=False):
        recorder.record("deleted", key)
        key.delete()
    return len(old)


def visible_items(destination: Destination, items: Sequence[DeliveryItem]) -> list[DeliveryItem]:
    """The items that the person of the browser sees now: of an incident at least one alert."""
    scope = destination.audience
    alerts = _seen_pks(Alert.objects.filter(pk__in=[item.alert_id for item in items if item.alert_id]), scope)
    of_items = [item.incident_id for item in items if item.incident_id]
    incidents = _seen_pks(Incident.objects.filter(pk__in=of_items), scope)
    incidents |= set(within(Alert.objects.filter(incident__in=of_items), scope).values_list("incident", flat=True))
    return [item for item in items if item.alert_id in alerts or item.incident_id in incidents]


def digest_of(address: str) -> str:
    return sha256(address.encode()).hexdigest()


def _seen_pks(rows: Any, scope: Scope) -> set[int]:
    return set(within(rows, scope).values_list("pk", flat=True))


def _store(
    known: PushDevice | None,
    person: User,
    subscription: Subscription,
    agent: UserAgent,
    *,
    digest: str,
    key: PushKey,
    at: datetime,
) -> PushDevice:
    browser = known or PushDevice(address_digest=digest, created_at=at)
    browser.name = user_agent.describe(agent.header)
    browser.is_mobile, browser.key = user_agent.is_mobile(agent.header), key
    destination = known.destination if known else Destination(kind=KIND, person=person)
    destination.name, destination.language = f"{browser.name} ({person.username})"[:100], agent.language
    destination.set_address(subscription.address)
    destination.set_secrets(p256dh=subscription.p256dh, auth=subscription.auth)
    with recorder.change(destination):
        destination.save()
    browser.destination = destination
    browser.save()
    _make_policy()
    return browser


def _make_policy() -> None:
    """Make the policy by which the outbox notifies browsers; what each person chose decides further (`audience`)."""
    defaults = {"name": "Browsers of people", "notify_acknowledged": True}
    policy, _created = Policy.objects.get_or_create(is_personal=True, defaults=defaults)
    Step.objects.get_or_create(policy=policy, position=0)


def _has_keys(browser: PushDevice, subscription: Subscription) -> bool:
    """Whether the browser is the same: nobody else knows its keys."""
    try:
        secrets = browser.destination.secrets()
    except DecryptionError:
        return False
    known = secrets.get("p256dh", "") + secrets.get("auth", "")
    return hmac.compare_digest(known, subscription.p256dh + subscription.auth)
