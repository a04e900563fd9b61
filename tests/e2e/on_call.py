"""Who is notified of what, and a delivery that failed."""

from datetime import time, timedelta

LONG_NAME = "大阪NOC 二次対応, nights and public holidays"
REFUSED = "HTTP 503: the gateway of the chat is being maintained until 06:00, repeat the message later"


def configure(incident: int) -> dict[str, int]:
    from tests.support.notifications.destinations import webhook_destination
    from tms.accounts.models import User
    from tms.lib.db.clock import db_clock
    from tms.notifications.models.delivery import Delivery
    from tms.notifications.models.policy import Policy
    from tms.notifications.models.rotation import Rotation

    now = db_clock().now()
    destination = webhook_destination("https://chat.example.com/hooks/noc", LONG_NAME)
    rotation = Rotation.objects.create(
        name="二次対応", starts_on=now.date() - timedelta(days=2), handover_at=time(9), every_days=7
    )
    for position, person in enumerate(User.objects.order_by("username")):
        rotation.members.create(position=position, person=person)
    # The delay is so long that the running clock sends nothing.
    policy = Policy.objects.create(name=LONG_NAME, severities=["critical"], delay_s=3600)
    policy.steps.create(position=0).destinations.add(destination)
    policy.steps.create(position=1, after_s=900).rotations.add(rotation)
    delivery = Delivery.objects.create(
        key="shown", destination=destination, policy=policy, kind="opened", is_of_incidents=True, language="en",
        state="dead", created_at=now, due_at=now, give_up_at=now, ended_at=now, attempts=12, detail=REFUSED,
    )  # fmt: skip
    delivery.items.create(incident_id=incident)
    return {"policy": policy.pk, "rotation": rotation.pk, "delivery": delivery.pk}
