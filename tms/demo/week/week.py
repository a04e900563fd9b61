"""Writes the week, once, into a TMS that has recorded nothing yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from tms.accounts.models import User
from tms.alerts.models import Rule
from tms.alerts.models.alert import Alert
from tms.demo import inventory
from tms.demo.seed_file import DemoTerminal, StartCondition
from tms.demo.week import faults, handovers, history, incidents, labels, losses, nightly, present, readings, runbooks
from tms.fleet.models import Terminal
from tms.fleet.models.outage import Outage
from tms.fleet.sites.calendar import hours_of
from tms.telemetry.models import Boot

NEEDED = {history.OFFLINE, *(ailment.rule for ailment in faults.AILMENTS.values())}
"""Names of the rules that the week is about."""
WITH_HISTORY = 400
"""Terminals with a past at most, so that a fleet of thousands starts soon."""


@transaction.atomic
def seed_week(fleet: list[DemoTerminal], usernames: list[str], *, at: datetime) -> Mapping[str, StartCondition]:
    """What the simulator has to show now, by UID; empty if TMS has a history, or lacks a default rule."""
    rules = {rule.name: rule for rule in Rule.objects.all()}
    if not fleet or not NEEDED.issubset(rules) or Outage.objects.exists() or Alert.objects.exists():
        return {}
    uids = [terminal.uid for terminal in fleet]
    terminals = list(Terminal.objects.filter(uid__in=uids).select_related("site").order_by("pk"))
    people = [User.objects.get(username=username) for username in usernames]
    Terminal.objects.filter(uid__in=uids).update(created_at=at - timedelta(days=losses.DAYS + 23))
    inventory.seed_inventory(terminals[:WITH_HISTORY], people[0], at=at)
    labels.seed_labels(terminals[:WITH_HISTORY], at=at)
    labels.seed_dynamic_groups(people[0], at=at)
    nightly.seed_nightly_job(terminals[:WITH_HISTORY], people[0], at=at)
    runbooks.write_runbooks()
    _write_boots(terminals[:WITH_HISTORY], at=at)
    _write_past(terminals[:WITH_HISTORY], people, rules, at=at)
    start_conditions = present.set_present(terminals, people, at=at)
    readings.write_readings(fleet, terminals, until=at - present.PAPER_CLOSED_FOR)
    return start_conditions


def _write_boots(terminals: list[Terminal], *, at: datetime) -> None:
    """Terminals are in service since the week began, as availability counts."""
    first = at - timedelta(days=losses.DAYS)
    Boot.objects.bulk_create(Boot(terminal=one, boot_id=present.BOOT_ID, first_seen_at=first) for one in terminals)


def _write_past(terminals: list[Terminal], people: list[User], rules: Mapping[str, Rule], *, at: datetime) -> None:
    lost = losses.week_of_losses(terminals, at=at)
    hours = hours_of({terminal.site_id for terminal in terminals})
    story = history.Story(people, rules, hours)
    history.write_losses(lost)
    history.alerts_of_losses(lost, story)
    history.alerts_of_faults(faults.week_of_faults(terminals, at=at), story)
    incidents.write_incidents(lost, story)
    story.save()
    handovers.write_notes(lost, people, at=at)
