"""A notification policy, who is on call, and destinations that a laptop reaches: all are the demo's own log."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from urllib.parse import urlsplit

from django.db import transaction

from tms.accounts.models import User
from tms.lib.severity import Severity
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step
from tms.notifications.models.rotation import Member, Rotation

PATH = "/demo-notifications"
"""The path by which the demo recognises its destinations at the next start."""
ESCALATES_AFTER_S = 300


@transaction.atomic
def write_policy(usernames: Sequence[str], *, log_url: str, today: date) -> None:
    """Write the policy once. The rotation began a week ago, so that a person is on call from the first minute."""
    if Policy.objects.exists() or Rotation.objects.exists():
        return
    people = [User.objects.get(username=username) for username in usernames]
    rotation = Rotation.objects.create(
        name="NOC", starts_on=today - timedelta(days=7 + today.weekday()), handover_at=time(9)
    )
    Member.objects.bulk_create(
        Member(rotation=rotation, person=person, position=number) for number, person in enumerate(people)
    )
    team = _destination("NOC", log_url)
    for person in people:
        _destination(person.get_full_name(), log_url, person=person)
    policy = Policy.objects.create(name="Critical alerts, day and night", severities=[Severity.CRITICAL], delay_s=60)
    first, second = Step.objects.bulk_create(
        Step(policy=policy, position=number, after_s=after_s) for number, after_s in enumerate((0, ESCALATES_AFTER_S))
    )
    first.destinations.add(team)
    second.rotations.add(rotation)


def redirect_to(log_url: str) -> None:
    """Give the demo's destinations the address of its log, whose port differs at each start."""
    for destination in Destination.objects.not_deleted().filter(kind="webhook"):
        if urlsplit(destination.saved_values().get("url", "")).path == PATH:
            destination.set_address(log_url + PATH)
            destination.save(update_fields=("address", "encrypted_secrets"))


def _destination(name: str, log_url: str, *, person: User | None = None) -> Destination:
    destination = Destination(name=f"{name} (demo log)", kind="webhook", person=person)
    destination.new_key()
    destination.set_address(log_url + PATH)
    destination.save()
    return destination
