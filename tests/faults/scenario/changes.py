"""Prepares changes by people: terminals to change, a token, imports. Runs inside a TMS: `manage.py shell -c`."""

import json
import secrets
from datetime import timedelta

from django.utils import timezone

from tests.support.artifacts import make_artifact
from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.fleet.credentials import services
from tms.fleet.models import Site, Terminal
from tms.jobs.models import JobHours
from tms.jobs.services import JobValues, create_job
from tms.lib.calendar.recurrence import Occurrence
from tms.rollouts.models import ApprovalRule, WaveKind
from tms.rollouts.services import create as create_rollout
from tms.rollouts.values import RolloutValues, WaveValues
from tms.transfer.kinds.registry import KINDS
from tms.transfer.planning import check_file


def terminals(prefix: str, number: int) -> None:
    """Prints the UIDs of new terminals with devices, and the secret of an API token, as JSON."""
    site = Site.objects.order_by("pk")[0]
    uids = [f"{prefix}-{n}" for n in range(number)]
    for uid in uids:
        services.enrol(Terminal(uid=uid, site=site))
    _, token = api_tokens.issue(User.objects.get(username="watcher"), name=prefix, at=timezone.now())
    print(json.dumps({"uids": uids, "token": token}))


def checked_import(prefix: str, block: int, rows: int) -> None:
    """Check a file that adds the terminals of a block, and changes those of the block before. Prints its number."""
    site = Site.objects.order_by("pk")[0]
    blocks = [number for number in (block - 1, block) if number >= 0]
    lines = [f"{prefix}-{number}-{n},{site.code},Lane {block}" for number in blocks for n in range(rows)]
    text = "\n".join(("uid,site,label", *lines))
    person = User.objects.get(username="watcher")
    made = check_file(KINDS["terminals"], name=f"{prefix}.csv", data=text.encode(), by=person, at=timezone.now())
    print(json.dumps({"pk": made.pk, "changes": made.changes, "refused": made.counts.get("refused", 0)}))


def reboot_all(length_s: int, at_once: int) -> None:
    """A job that reboots every terminal that is connected. Prints its number."""
    person, at = User.objects.get(username="watcher"), timezone.now()
    run = Occurrence(at, at + timedelta(seconds=length_s))
    values = JobValues("Reboot all", "reboot", run, query="presence:online", at_once=at_once)
    print(json.dumps({"pk": create_job(values, by=person, at=at).pk}))


def roll_out(version: str, settle_s: int, at_once: int) -> None:
    """A rollout of new firmware to every terminal that is connected, in three waves. Prints its number."""
    at = timezone.now()
    content = json.dumps({"install_s": 2.0, "padding": secrets.token_hex(100_000)}).encode()
    expires = at + timedelta(days=30)
    artifact = make_artifact("firmware", version, content=content, models=("COUNT",), expires=expires, uploaded_at=at)
    waves = (
        WaveValues(WaveKind.CANARY, 12, watch_hours=0),
        WaveValues(WaveKind.SHARE, 40, watch_hours=0),
        WaveValues(WaveKind.REST, watch_hours=0),
    )
    values = RolloutValues(
        name=f"Firmware {version}",
        until=at + timedelta(hours=2),
        artifacts=(artifact,),
        query="firmware:1.0.0",
        waves=waves,
        hours=JobHours.ANY,
        at_once=at_once,
        per_site=1,
        approval=ApprovalRule.NONE,
        settle_s=settle_s,
    )
    number = Terminal.objects.filter(firmware="1.0.0").count()
    made = create_rollout(values, by=User.objects.get(username="watcher"), at=at, agreed=number)
    print(json.dumps({"pk": made.pk}))
