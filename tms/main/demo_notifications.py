"""A notification policy, and who is on call: examples to try out."""

from collections.abc import Sequence
from datetime import date, time, timedelta

from django.db import transaction

from tms.accounts.models import User
from tms.lib.severity import Severity
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step
from tms.notifications.models.rotation import Member, Rotation


@transaction.atomic
def write_policy(usernames: Sequence[str], *, today: date) -> None:
    """Once. Its destination is off: a demo has no mail server."""
    if Policy.objects.exists() or Rotation.objects.exists():
        return
    people = [User.objects.get(username=username) for username in usernames]
    rotation = Rotation.objects.create(
        name="On call", starts_on=today - timedelta(days=today.weekday()), handover_at=time(9)
    )
    Member.objects.bulk_create(
        Member(rotation=rotation, person=person, position=number) for number, person in enumerate(people)
    )
    mail = Destination.objects.create(name="NOC mail", kind="email", address="noc@example.com", enabled=False)
    policy = Policy.objects.create(name="Critical alerts, day and night", severities=[Severity.CRITICAL], delay_s=60)
    first, second = Step.objects.bulk_create(
        Step(policy=policy, position=number, after_s=after_s) for number, after_s in enumerate((0, 900))
    )
    first.destinations.add(mail)
    second.rotations.add(rotation)
