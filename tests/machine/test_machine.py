"""A machine as shipped: userdata.sh; nginx, nodes and clock under supervisor; releases that cannot replace another.

One machine for all tests, and each leaves it running.
"""

import re
import stat
import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.faults.scenario.observer import TerminalObserver, until
from tests.machine.machine import NODES, Machine
from tests.machine.observed import nothing_happened_to

pytestmark = pytest.mark.services

FROM_THE_BALANCER = {"Host": "tms.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def fetch(url: str, headers: dict[str, str] = FROM_THE_BALANCER) -> tuple[int, str]:
    opener = urllib.request.build_opener(StayHere)
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def state(machine: Machine) -> tuple[set[str], list[int]]:
    """The releases that run, and the processes that a deployment restarts."""
    return machine.releases(), [machine.pid_of(program) for program in ("tms:node-1", "nginx")]


# Requests through the load balancer


def test_the_health_check_of_the_load_balancer_uses_an_address(machine):
    status, body = fetch(f"{machine.url}/health/", {})

    assert (status, '"node": "i-0123456789-' in body) == (200, True)


def test_https_requests_are_answered_and_others_are_redirected(machine):
    plain = FROM_THE_BALANCER | {"X-Forwarded-Proto": "http"}

    assert fetch(f"{machine.url}/sign-in/")[0] == 200
    assert fetch(f"{machine.url}/sign-in/", plain)[0] == 301


def test_metrics_are_not_public(machine):
    assert fetch(f"{machine.url}/metrics")[0] == 404


def test_static_files_are_served_from_disk(machine):
    style = re.search(r'/static/css/[^"]+\.css', fetch(f"{machine.url}/sign-in/")[1])
    assert style is not None

    assert fetch(machine.url + style[0])[0] == 200


# Files and permissions


def test_only_tms_may_read_the_secrets(machine):
    settings, known = (machine.root / "etc/tms" / name for name in ("tms.env", "machine.env"))

    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    for secret in ("a-token", "smtp://tms:a-password@smtp.example.com:587"):
        assert secret in settings.read_text()
        assert secret not in known.read_text()
    assert "TMS_DATABASE_MASTER_SECRET='rds!db-master'" in settings.read_text()


def test_userdata_leaves_tables_as_it_finds_them(machine):
    assert "Nothing to migrate." in (machine.root / "var/log/tms/userdata.log").read_text()


def test_userdata_can_run_again(machine):
    [release], _ = before = state(machine)

    machine.boot(release)

    assert state(machine) == before


def test_the_cloudwatch_agent_is_configured_for_logs_and_metrics(machine):
    agent = (machine.root / "opt/aws/amazon-cloudwatch-agent/etc/tms.json").read_text()

    assert "@" not in agent
    assert all(word in agent for word in ("tms-nginx", "tms-machine", "mem_used_percent", str(machine.root)))


# Releases


def test_a_release_whose_migrations_fail_changes_nothing(machine):
    before = state(machine)
    broken = machine.copy_release("broken")
    (broken / ".venv").unlink()

    with pytest.raises(RuntimeError):
        machine.deploy("switch-release", "broken")

    assert state(machine) == before


def test_a_release_that_cannot_configure_nginx_restarts_no_node(machine):
    [release], _ = before = state(machine)
    broken = machine.copy_release("unconfigured")
    (broken / "deploy/machine/configure").write_text("#!/bin/sh\nexit 1\n")

    with pytest.raises(RuntimeError, match=f"unconfigured does not run; back on {release}"):
        machine.deploy("switch-release", "unconfigured")

    assert state(machine) == before


def test_an_artefact_that_was_changed_in_transit_is_refused(machine):
    bucket = machine.aws / "buckets" / "tms-000000000000-releases"
    (bucket / "tms-other.tar.gz").write_bytes(b"something else")
    (bucket / "tms-other.tar.gz.sha256").write_text(f"{'0' * 64}  tms-other.tar.gz\n")

    with pytest.raises(RuntimeError, match="checksum"):
        machine.deploy("install-release", "other")

    assert not (machine.releases_folder / "other").exists()


# Termination


async def test_a_machine_that_will_be_terminated_drains_first(machine, terminals):
    async with TerminalObserver(terminals, report_every_s=1) as observer:
        await observer.wait_until_linked()
        machine.metadata.target_state = "Terminated"
        done = machine.aws / "lifecycle-actions"

        await until(lambda: done.exists() and "drain" in done.read_text())

        assert [machine.pid_of(f"tms:node-{number}") for number in range(1, NODES + 1)] == [0] * NODES
        assert "CONTINUE --instance-id i-0123456789" in done.read_text()
        machine.metadata.target_state = "InService"
        machine.start_again()
        await nothing_happened_to(observer, machine)
