"""Prepares changes by people: terminals to change, a token, imports. Runs inside a TMS: `manage.py shell -c`."""

import json
import secrets
from datetime import timedelta

from django.utils import timezone

from tests.support.artifacts import make_artifact
from tms.accounts import api_tokens
from tms.accounts.models import User
from tms.approvals.acts import Act
from tms.approvals.clearance import agreed
from tms.artifacts.models import Artifact
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

MODEL, FIRMWARE, INSTALL_S = "COUNT", "firmware", 2.0
"""The model of the simulated terminals, the name of their firmware, and how long they take to install it."""


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


def roll_out(
    version: str,
    *,
    settle_s: int,
    at_once: int,
    per_site: int = 1,
    canary_hours: float = 0.0,
    watch_hours: float = 0.0,
    leaks: float = 0.0,
) -> None:
    """A rollout of new firmware to every terminal that has reported its model, in three waves. Prints its number and a
    token.

    `canary_hours`, `watch_hours`: how long the first and the second wave are watched; `leaks`: the memory that it
    loses, in percent an hour. What the terminals run before exists as an artifact, too.
    """
    person, at = User.objects.get(username="watcher"), timezone.now()
    members = Terminal.objects.filter(model=MODEL)
    for former in set(members.values_list("firmware", flat=True)) - set(versions()):
        firmware(former)
    values = RolloutValues(
        name=f"Firmware {version}",
        until=at + timedelta(hours=2),
        artifacts=(firmware(version, leaks=leaks),),
        query=f"model:{MODEL}",
        waves=(
            WaveValues(WaveKind.CANARY, 12, watch_hours=canary_hours),
            WaveValues(WaveKind.SHARE, 40, watch_hours=watch_hours),
            WaveValues(WaveKind.REST, watch_hours=0),
        ),
        hours=JobHours.ANY,
        at_once=at_once,
        per_site=per_site,
        approval=ApprovalRule.NONE,
        settle_s=settle_s,
    )
    with agreed(Act.ROLLOUT, name="", terminals=tuple(members.values_list("pk", flat=True))):
        made = create_rollout(values, by=person, at=at)
    _, token = api_tokens.issue(person, name=f"rollout {version}", at=at)
    print(json.dumps({"pk": made.pk, "token": token}))


def firmware(version: str, *, leaks: float = 0.0) -> Artifact:
    """An artifact for the simulated terminals, of about 200 KB."""
    at = timezone.now()
    behaviour = {"install_s": INSTALL_S, "leaks_pct_per_hour": leaks, "padding": secrets.token_hex(100_000)}
    content, expires = json.dumps(behaviour).encode(), at + timedelta(days=30)
    return make_artifact(FIRMWARE, version, content=content, models=(MODEL,), expires=expires, uploaded_at=at)


def versions() -> list[str]:
    return list(Artifact.objects.filter(name=FIRMWARE).values_list("version", flat=True))
