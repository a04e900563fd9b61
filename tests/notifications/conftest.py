from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from tests.support.notifications.delivery_clock import DeliveryClock
from tests.support.notifications.destinations import webhook_destination
from tests.support.notifications.webhook_receiver import WebhookReceiver, run_receiver
from tests.support.people import person
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step


@pytest.fixture
def receiver(settings) -> Iterator[WebhookReceiver]:
    """Allow destinations on this machine; that they are normally refused is tested elsewhere."""
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.1")]
    yield from run_receiver()


@pytest.fixture
def hook(db, receiver) -> Destination:
    return webhook_destination(receiver.url)


@pytest.fixture
def policy(fleet) -> Callable[..., Policy]:
    """A policy with its steps: each is (after seconds, destinations)."""

    def make(*steps: tuple[float, list[Destination]], **fields: Any) -> Policy:
        fields = {"name": f"Policy {Policy.objects.count()}", "group_wait_s": 0} | fields
        many = {name: fields.pop(name) for name in ("sites", "groups", "rules") if name in fields}
        made = Policy.objects.create(**fields)
        for name, rows in many.items():
            getattr(made, name).set(rows)
        for position, (after_s, destinations) in enumerate(steps):
            Step.objects.create(policy=made, position=position, after_s=after_s).destinations.set(destinations)
        return made

    return make


@pytest.fixture
def staff(fleet) -> Client:
    client = Client()
    client.force_login(person("kimura", of="Manager"))
    return client


@pytest.fixture
def watcher(fleet) -> Client:
    client = Client()
    client.force_login(person("mori", of="Operator"))
    return client


@pytest.fixture
def delivery_clock(fleet) -> DeliveryClock:
    return DeliveryClock()
