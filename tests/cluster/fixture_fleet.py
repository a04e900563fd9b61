"""Run inside the cluster under test: creates the data of its tests. Prints it as JSON."""

import json
from datetime import UTC, datetime, timedelta

from django.contrib.auth.hashers import make_password

from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Rule
from tms.fleet.credentials import services
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.models import Site, Terminal

TERMINALS = 20


def create_rows() -> None:
    site, _ = Site.objects.get_or_create(code="SJK", defaults={"name": "Shinjuku South"})
    keys = [str(services.enrol(Terminal(uid=f"T-{number:02}", site=site))) for number in range(TERMINALS)]
    for username in ("tanaka", "sato"):
        User.objects.create_superuser(username)
    User.objects.update(password=make_password("a password for tests"))  # hashed once
    at = datetime.now(UTC)
    alarmed = Terminal(uid="ALARMED", site=site)
    services.enrol(alarmed)
    lifecycle.apply_events([RuleTriggered(Rule.objects.get(event_code="tms.duplicate_credential").pk, alarmed.pk, at)])
    token = enrolment.make_token(enrolment.TokenLimits(site), by=None, at=at, valid=timedelta(hours=1))
    print(json.dumps({"credentials": keys, "alert": Alert.objects.get().pk, "token": token}))
