"""The keys of a terminal on its page: issue, rotate, revoke."""

import os
import re
import subprocess
from datetime import timedelta
from html import unescape

import pytest

from tests.fleet.manage.shown import shown_key
from tests.support.builders import now
from tests.support.credentials import find_key
from tests.support.pages import HtmlPage
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Credential, DeviceState
from tms.fleet.terminals.lifecycle_changes import retire

pytestmark = [pytest.mark.both, pytest.mark.django_db]
KEYS = "/terminals/UMD-KSK-03/keys/"


def test_an_issued_key_is_shown_once_with_the_command(boss, terminal):
    answer = boss.post(KEYS)

    assert find_key(shown_key(answer), at=now()).identity.uid == "UMD-KSK-03"
    assert "tms-agent --url http://testserver --credential-file credential" in answer.content.decode()
    assert shown_key(answer).secret not in boss.get("/terminals/UMD-KSK-03/manage/").content.decode()


def test_the_command_reads_the_key_and_starts_the_agent_with_it(boss, terminal, tmp_path):
    agent = tmp_path / "tms-agent"
    agent.write_text('#!/bin/sh\ncat "$4"\n')
    agent.chmod(0o700)
    answer = boss.post(KEYS)
    [command] = re.findall(r'<textarea[^>]*id="command"[^>]*>(.*?)</textarea>', answer.content.decode(), re.DOTALL)

    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(
        ["sh", "-c", unescape(command)],
        check=True,
        cwd=tmp_path,
        env=env,
        input=f"{shown_key(answer)}\n",
        capture_output=True,
        text=True,
    )

    assert run.stdout == f"{shown_key(answer)}\n"
    assert (tmp_path / "credential").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("seconds", [3_600, 86_400, 604_800])
def test_the_keys_before_end_after_the_overlap(boss, terminal, seconds):
    before = credentials.issue(terminal)

    answer = boss.post(f"{KEYS}rotate/", {"overlap": seconds})

    at = now()
    assert find_key(before, at=at + timedelta(seconds=seconds - 60)) is not None
    assert find_key(before, at=at + timedelta(seconds=seconds + 60)) is None
    assert find_key(shown_key(answer), at=at + timedelta(days=30)) is not None


@pytest.mark.parametrize("overlap", ["", "5", "x"])
def test_another_overlap_is_refused(boss, terminal, overlap):
    before = Credential.objects.count()

    assert boss.post(f"{KEYS}rotate/", {"overlap": overlap}).status_code == 422
    assert Credential.objects.count() == before


def test_one_key_is_revoked_after_a_question(boss, terminal):
    kept, ended = credentials.issue(terminal), credentials.issue(terminal)
    pk = Credential.objects.latest("pk").pk

    question = HtmlPage(boss.get(f"{KEYS}{pk}/revoke/"))
    boss.post(f"{KEYS}{pk}/revoke/")

    assert "closes within 5 seconds" in question.html
    assert find_key(ended, at=now()) is None
    assert find_key(kept, at=now()) is not None


def test_a_key_of_another_terminal_is_not_found(regional, terminal, tokyo_terminal):
    key = tokyo_terminal.credentials.get()

    assert regional.post(f"{KEYS}{key.pk}/revoke/").status_code == 404
    assert regional.post("/terminals/SJK-KSK-01/keys/").status_code == 404


def test_a_viewer_issues_no_key(viewer, terminal):
    assert viewer.post(KEYS).status_code == 403


@pytest.mark.parametrize(("path", "data"), [("", {}), ("rotate/", {"overlap": 3_600})])
def test_a_retired_terminal_gets_no_key(boss, terminal, path, data):
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=now())

    answer = boss.post(KEYS + path, data)

    assert answer.status_code == 409
    assert "is retired. Bring it back first." in answer.content.decode()
    assert not Credential.objects.valid(now()).filter(terminal=terminal).exists()
