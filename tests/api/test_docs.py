"""The examples in docs/integrating.md work as printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import AT, now
from tests.support.people import person
from tms.accounts import api_tokens
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Window
from tms.fleet.models import Credential, Terminal
from tms.jobs.models import Job

INTEGRATING = Path(__file__).parents[2] / "docs/integrating.md"


def examples() -> str:
    [lines] = re.findall(r"```sh\n(# The unacknowledged critical alerts.*?)```", INTEGRATING.read_text(), re.DOTALL)
    return lines


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_documented_lines_work(fleet, live_server):
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT, severity="critical")])
    alert = Alert.objects.get()
    _, token = api_tokens.issue(person("ticketing", of="Operator"), name="bridge", at=now())
    there = {**os.environ, "TMS": live_server.url, "TOKEN": token, "ALERT": str(alert.pk)}

    result = subprocess.run(["bash", "-euc", examples()], env=there, capture_output=True, text=True, check=True)

    alert.refresh_from_db()
    assert f'"id": {alert.pk}' in result.stdout
    assert '"changed": 1' in result.stdout
    assert Window.objects.get().note == "new switch"
    assert (alert.state, alert.contract, alert.comment) == ("acknowledged", "worse", "provider informed")


FILLED = """uid,site,kind,label,serial
SJK-KSK-01,SJK,kiosk,Lane 1,K21
SJK-GTE-01,SJK,gate,Gate 1,G7
OSK-KSK-01,OSK,kiosk,,K22
"""


@pytest.mark.django_db(transaction=True)
def test_the_documented_program_fills_a_fleet_and_may_run_again(fleet, live_server, settings):
    settings.API_BURST = 5  # it has to wait, too
    [program] = re.findall(r"```python\n(import csv.*?)```", INTEGRATING.read_text(), re.DOTALL)
    _, token = api_tokens.issue(person("lead", of="Manager"), name="import", at=now())
    command = [sys.executable, "-c", program, live_server.url, token]

    first, second = (
        subprocess.run(command, input=FILLED, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    )

    assert [line.partition(".")[0] for line in first] == ["SJK-KSK-01", "SJK-GTE-01", "OSK-KSK-01"]
    assert second == []
    assert list(Terminal.objects.values_list("uid", "site__code", "kind", "label", "serial")) == [
        ("OSK-KSK-01", "OSK", "kiosk", "", "K22"),
        ("SJK-GTE-01", "SJK", "gate", "Gate 1", "G7"),
        ("SJK-KSK-01", "SJK", "kiosk", "Lane 1", "K21"),
    ]
    assert Credential.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_documented_program_rotates_the_keys_of_a_site(fleet, live_server):
    here, there = fleet.terminal(uid="SJK-1"), fleet.terminal(uid="OSK-1", site=fleet.site("OSK"))
    [program] = re.findall(
        r"```python\n(import json, sys, urllib.request\n\nurl, token, site.*?)```", INTEGRATING.read_text(), re.DOTALL
    )
    _, token = api_tokens.issue(person("lead", of="Manager"), name="keys", at=now())

    command = [sys.executable, "-c", program, live_server.url, token, "SJK"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert [line.partition(".")[0] for line in result.stdout.split()] == ["SJK-1"]
    assert (here.credentials.count(), there.credentials.count()) == (2, 1)
    assert here.credentials.filter(expires_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_documented_program_restarts_kiosks_each_night(fleet, live_server):
    fleet.terminals_online(2)
    [program] = re.findall(
        r"```python\n(import json, sys, urllib.request\n\nurl, token = sys.*?)```", INTEGRATING.read_text(), re.DOTALL
    )
    _, token = api_tokens.issue(person("lead", of="Manager"), name="nightly", at=now())
    command = [sys.executable, "-c", program, live_server.url, token]

    first = subprocess.run(command, capture_output=True, text=True, check=True)
    job = Job.objects.get()
    run = job.runs.create(since=AT, until=AT, started_at=AT)
    run.items.create(terminal=Terminal.objects.first(), state="done", not_before=AT)
    second = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (job.rrule, job.hours, job.query) == ("FREQ=DAILY", "closed", "kind:kiosk -tag:pilot")
    assert first.stdout == ""
    assert "{'done': 1}" in second.stdout
