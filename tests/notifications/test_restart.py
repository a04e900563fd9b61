"""A killed TMS continues to send notifications after its restart."""

import subprocess
import sys

from tests.support.notifications.webhook_receiver import WebhookReceiver, run_receiver
from tests.support.polling import DEADLINE_S, wait_for
from tests.support.servers.tms import ROOT, RunningTMS

CREATE_ROWS = """
import sys, django
django.setup()
from django.db import transaction
from django.utils import timezone
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Rule
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
from tms.notifications.models import Destination, Policy, Step
site = Site.objects.create(code="SJK", name="Shinjuku South")
for number in range(3):
    credentials.enrol(Terminal(uid=f"T{number}", site=site))
destination = Destination(name="Hook", kind="webhook")
destination.set_address(sys.argv[1])
destination.new_key()
destination.save()
policy = Policy.objects.create(name="All", group_wait_s=0)
Step.objects.create(policy=policy, position=0).destinations.add(destination)
rule = Rule.objects.filter(kind="metric").first()
with transaction.atomic():
    for terminal in Terminal.objects.all():
        lifecycle.trigger([RuleTriggered(rule.pk, terminal.pk, timezone.now())])
"""


def test_a_notification_answered_with_503_is_sent_after_a_restart_and_none_is_lost(tmp_path):
    for receiver in run_receiver():
        receiver.usual = (503, {})
        with RunningTMS(tmp_path, TMS_INSIDE_DESTINATIONS="127.0.0.1") as tms:
            create_rows(tms, receiver)
            wait_for_events(receiver, 1)
            wait_for(lambda: states(tms) == {"waiting"})
            tms.kill()
            before = len(receiver.posted)
            receiver.usual = (204, {})
            tms.start()

            wait_for_events(receiver, 1)
            wait_for(lambda: not states(tms) & {"waiting", "sending"})
            ended = states(tms)

        after = receiver.events[before:]
        result = [alert["terminal"]["uid"] for event in after for alert in event["data"]["alerts"]]
        assert ended == {"sent"}
        assert sorted(set(result)) == ["T0", "T1", "T2"]
        unmarked = [event["id"] for event in after if not event.get("possibleduplicate")]
        assert len(unmarked) == len(set(unmarked))


def create_rows(tms: RunningTMS, receiver: WebhookReceiver) -> None:
    subprocess.run([sys.executable, "-c", CREATE_ROWS, receiver.url], cwd=ROOT, env=tms.env, check=True)


def wait_for_events(receiver: WebhookReceiver, times: int) -> None:
    for _ in range(times):
        assert receiver.arrived.acquire(timeout=DEADLINE_S)


def states(tms: RunningTMS) -> set[str]:
    return {state for (state,) in tms.query("SELECT state FROM notifications_delivery")}
