"""What a poll says of a terminal: it is online for a while, and what it reports of itself is stored like a boot's."""

import random
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from tms.alerts.presence import follow
from tms.fleet import installed_versions
from tms.fleet.credentials import services as credentials
from tms.fleet.credentials.services import CredentialKey
from tms.fleet.devices import connected
from tms.fleet.identity import boots as identity_boots
from tms.fleet.identity.boots import BootFacts
from tms.fleet.installed_versions import software_row
from tms.fleet.models import Terminal
from tms.fleet.presence import outages, store
from tms.fleet.presence.outage_causes import returning
from tms.fleet.presence.state_machine import report
from tms.rollouts.hawkbit import actions
from tms.rollouts.hawkbit.actions import PollingWork
from tms.rollouts.hawkbit.feedback import Attributes
from tms.telemetry import boots

FEATURES = ("update", "hawkbit")
"""What such a terminal can do; an agent names its own when it boots."""
SPREAD = 0.2
"""Share of the interval. Updaters have neither jitter nor back-off: after an outage of TMS all of them would poll at
once for ever.
"""
ASK_AGAIN = timedelta(minutes=15)
"""How long after an update a terminal is asked for its version, if it does not tell it by itself."""


class Linked(Exception):
    """The terminal has had a link: its agent says how it is, and gets its updates."""


@transaction.atomic
def renew(terminal: int, *, at: datetime) -> None:
    """The terminal is online until it should have polled again. Raises Linked."""
    link_state = store.lock([terminal])[terminal]
    if link_state.session:
        raise Linked
    back = returning(link_state, at=at, boot=None, is_poll=True)
    timing = replace(store.timing(), heartbeat_s=settings.HAWKBIT_LEASE_S, lease_grace_s=0)
    change = report(link_state, at=at, timing=timing)
    store.save([link_state])
    if change is not None:
        store.record([change])
        outages.follow([change], {0: back}, timing=store.timing())
        follow([change])


@transaction.atomic
def describe(key: CredentialKey, told: Attributes, *, address: str | None, at: datetime) -> None:
    """Store what the terminal reports of itself. Unasked, it has restarted: updaters tell it when they start."""
    terminal = key.identity.terminal_id
    link_state = store.lock([terminal])[terminal]
    is_restart = not is_asked(terminal, at=at)
    facts = BootFacts(terminal, told.serial, told.model, told.firmware, "", address)
    changed = identity_boots.record([facts], at=at)
    connected.follow(changed, keys={terminal: key.credential_id}, at=at)
    credentials.mark_used([key.credential_id], at=at)
    if told.firmware:
        actions.follow_version(terminal, told.firmware, is_restart=is_restart, at=at)
    installed_versions.record([software_row(terminal, FEATURES, {})])
    if is_restart or changed:
        link_state.boot_id = f"hawkbit-{secrets.token_hex(8)}"
        store.save([link_state])
        boots.ensure([(terminal, link_state.boot_id)], at=at)


def is_asked(terminal: int, *, at: datetime) -> bool:
    """Whether polls ask the terminal what it is. Not while it has something to do: swupdate would only answer, and
    begin nothing.
    """
    if not Terminal.objects.filter(pk=terminal).values_list("firmware", flat=True).get():
        return True
    answered = actions.last_answered(terminal)
    return (
        answered is not None
        and answered.answered_at is not None
        and (ASK_AGAIN < at - answered.answered_at < 2 * ASK_AGAIN)
    )


def sleep_s(work: PollingWork) -> float:
    """When to poll again: sooner while there is work, so that a cancellation arrives in time."""
    interval = settings.HAWKBIT_POLL_S / (10 if work.install or work.cancel else 1)
    return interval * random.uniform(1 - SPREAD, 1)
