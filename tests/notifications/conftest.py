from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from tests.notifications.receiver import Receiver, receiving
from tests.support.builders import AT
from tests.support.people import person
from tms.notifications.dispatch import dispatcher, leases, outbox
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    """On this machine, which is allowed here: that it is refused otherwise has tests of its own."""
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.1")]
    yield from receiving()


def webhook(url: str, name: str = "Hook", **fields: Any) -> Destination:
    destination = Destination(kind="webhook", name=name, **fields)
    destination.set_address(url)
    destination.new_key()
    destination.save()
    return destination


@pytest.fixture
def hook(db, receiver) -> Destination:
    return webhook(receiver.url)


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


class Hours:
    """Time that passes on demand: at each step the outbox and the workers do what is due."""

    def __init__(self) -> None:
        self.at = AT

    def pass_(self, seconds: float = 0, *, step_s: float = 5) -> datetime:
        end = self.at + timedelta(seconds=seconds)
        self.work()
        while self.at < end:
            self.step(min(end, self.at + timedelta(seconds=step_s)))
        return self.at

    def step(self, at: datetime) -> None:
        self.at = at
        self.work()

    def work(self) -> None:
        outbox.advance(self.at)
        leases.reclaim_expired(self.at)
        for destination_id in leases.destinations_due(self.at):
            dispatcher.drain(destination_id, now=lambda: self.at)


@pytest.fixture
def hours(fleet) -> Hours:
    return Hours()
