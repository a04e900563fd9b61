"""Commands that issue and revoke keys of terminals: their output and errors."""

import io
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from deploy.processes.tms_process import clean_environment
from tests.support.builders import now
from tests.support.credentials import find_key
from tests.support.inventory import ROOT
from tms.fleet.credentials import services
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.enrolment.tokens import NewDevice
from tms.fleet.enrolment.watcher import EnrolmentWatcher
from tms.fleet.management.commands.enrol_terminal import Command
from tms.fleet.models import Credential, Site, Terminal
from tms.protocol import credential

pytestmark = pytest.mark.both


def manage(*arguments: str) -> tuple[str, str]:
    """Standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        manage(*arguments)
    return str(error.value)


def test_enrolling_prints_the_credential_and_nothing_else(fleet):
    out, err = manage(
        "enrol_terminal", "SJK-PAY-01", "--site", "Shinjuku South", "--new-site", "--kind", "payment", "--label", "Till"
    )

    offered = credential.parse(out.removesuffix("\n"))
    terminal = Terminal.objects.get()
    assert (terminal.uid, terminal.kind, terminal.label) == ("SJK-PAY-01", "payment", "Till")
    assert offered
    assert offered.uid == "SJK-PAY-01"
    assert find_key(offered, at=now())
    assert offered.secret not in err
    assert "not shown again" in err


def test_a_key_is_replaced_without_an_outage(fleet):
    """The steps are those of docs/deploying.md."""
    first, second = (
        credential.parse(manage(*words)[0].removesuffix("\n"))
        for words in (("enrol_terminal", "A-1", "--site", "Shinjuku", "--new-site"), ("issue_credential", "A-1"))
    )
    assert first
    assert second
    assert find_key(first, at=now())
    assert find_key(second, at=now())

    out, _ = manage("revoke_credentials", "A-1", "--but-newest")

    assert find_key(second, at=now())
    assert not find_key(first, at=now())
    assert out.startswith("revoked 1 of ")
    assert "unknown terminal 'B'" in refused("issue_credential", "B")


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified_of_a_terminal_that_another_process_enrolled(fleet, feed_recorder):
    """Whose own publication reached nobody, as without Redis."""
    fleet.terminal()
    watcher = EnrolmentWatcher()
    watcher.publish_new(now())

    manage("enrol_terminal", "NEW-01", "--site", fleet.site().code)
    feed_recorder.change()
    watcher.publish_new(now())

    assert feed_recorder.change().presence == {Terminal.objects.get(uid="NEW-01").pk}


def test_a_command_neither_makes_a_database_nor_shows_options_of_django(tmp_path):
    env = clean_environment() | {"TMS_DATA_DIR": str(tmp_path)}
    enrol = [sys.executable, "manage.py", "enrol_terminal"]

    run = subprocess.run([*enrol, "A", "--site", "B"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    parser = Command().create_parser("manage.py", "enrol_terminal")

    assert run.stderr.strip().endswith("tms.sqlite3 is missing; set TMS_DATA_DIR as for make run")
    assert not (tmp_path / "tms.sqlite3").exists()
    assert "--settings" not in parser.format_help()


SITES = [
    # name, code of the new site
    ("Shinjuku South", "SHINJU"),
    ("新宿南", "SITE"),
    ("a b", "AB"),
    ("!!!", "SITE"),
]


@pytest.mark.parametrize(("name", "code"), SITES)
def test_a_new_site_gets_its_own_code(fleet, name, code):
    Site.objects.create(code=code, name="was there before")

    manage("enrol_terminal", "A", "--site", name, "--new-site")

    assert Site.objects.get(name=name).code == f"{code}1"


@pytest.mark.parametrize("by", ["sjk", "SJK", "shinjuku south"])
def test_an_existing_site_is_found_by_code_or_name_in_any_case(fleet, by):
    site = fleet.site("SJK", name="Shinjuku South")

    manage("enrol_terminal", "A", "--site", by)

    assert Terminal.objects.get().site == site


REFUSALS = [
    (("no way", "--site", "SJK"), "UID 'no way': use 1 to 64 letters, digits, - and _"),
    (("a\n", "--site", "SJK"), "UID 'a\\n': use 1 to 64 letters"),
    (("x" * 65, "--site", "SJK"), "use 1 to 64 letters"),
    (("TAKEN", "--site", "SJK"), "UID 'TAKEN' is already in use; choose another"),
    (("A", "--site", "   "), "--site '   ': use 1 to 100 characters"),
    (("A", "--site", "x" * 101), "use 1 to 100 characters"),
    (("A", "--site", "SJK", "--label", "x" * 101), "--label: use at most 100 characters"),
    (("A",), "--site"),
    (("A", "--site", "SKJ"), "no site 'SKJ'; sites: SJK (Site SJK); --new-site creates it"),
    (("A", "--site", "SJK", "--kind", "spaceship"), "invalid choice: 'spaceship'"),
]


@pytest.mark.parametrize(("arguments", "text"), REFUSALS)
def test_an_invalid_enrolment_is_refused_with_one_line_and_creates_nothing(fleet, arguments, text):
    fleet.terminal(uid="TAKEN")

    message = refused("enrol_terminal", *arguments)

    assert text in message
    assert "\n" not in message
    assert (Terminal.objects.count(), Site.objects.count(), Credential.objects.count()) == (1, 1, 1)


def test_a_token_is_printed_and_nothing_else(fleet):
    site = fleet.site("SJK")

    out, err = manage("enrolment_token", "--site", "sjk", "--hours", "2")

    terminal, _ = enrolment.redeem(out.removesuffix("\n"), NewDevice("kiosk"), at=now())
    assert terminal.site == site
    assert err == ""


TOKEN_REFUSALS = [
    (("--site", "NOPE"), "unknown site 'NOPE'; known codes: SJK"),
    (("--site", "SJK", "--hours", "0"), "--hours 0: expected more than 0 and at most 24"),
    (("--site", "SJK", "--hours", "24.5"), "--hours 24.5: expected more than 0 and at most 24"),
    (("--site", "SJK", "--hours=-1"), "--hours -1: expected more than 0 and at most 24"),
    (("--site", "SJK", "--hours", "nan"), "--hours nan: expected more than 0 and at most 24"),
    (("--site", "SJK", "--hours", "inf"), "--hours inf: expected more than 0 and at most 24"),
    (("--site", "SJK", "--hours", "1e300"), "--hours 1e+300: expected more than 0 and at most 24"),
]


@pytest.mark.parametrize(("arguments", "text"), TOKEN_REFUSALS)
def test_an_invalid_token_is_refused_with_the_expected_value(fleet, arguments, text):
    fleet.site("SJK")

    assert refused("enrolment_token", *arguments) == text


def test_revoking_revokes_every_key_of_a_terminal_and_prints_their_number(fleet):
    terminal = fleet.terminal()
    services.issue(terminal)

    out, _ = manage("revoke_credentials", terminal.uid)
    again, _ = manage("revoke_credentials", terminal.uid)

    assert (out, again) == (f"revoked 2 of {terminal}\n", f"revoked 0 of {terminal}\n")
    assert refused("revoke_credentials", "nobody") == "unknown terminal 'nobody'"


def test_a_terminal_is_retired_and_brought_back(fleet):
    terminal = fleet.terminal(uid="A-1")

    retired, again = manage("retire_terminal", "A-1", "--comment", "Shop closed"), manage("retire_terminal", "A-1")
    back = manage("retire_terminal", "A-1", "--bring-back")

    assert [out for out, _ in (retired, again, back)] == [
        "A-1 retired\n",
        "A-1 was retired already\n",
        "A-1: in_service\n",
    ]
    assert Credential.objects.get(terminal=terminal).revoked_at is None


def test_a_retired_terminal_gets_no_key_from_a_command(fleet):
    fleet.terminal(uid="A-1")
    manage("retire_terminal", "A-1")

    assert "is retired" in refused("issue_credential", "A-1")
    assert "is retired" in refused("replace_device", "A-1", "S-2")


def test_a_replaced_device_gets_a_key_that_is_printed(fleet):
    terminal = fleet.terminal(uid="A-1", serial="S-1")
    fleet.terminal(uid="A-2", serial="S-9")

    out, err = manage("replace_device", "A-1", "S-2")

    offered = credential.parse(out.removesuffix("\n"))
    assert offered
    assert find_key(offered, at=now()).identity.terminal_id == terminal.pk
    assert "S-1 → S-2" in err
    assert "serves as A-2" in refused("replace_device", "A-1", "S-9")
    assert "unknown terminal" in refused("replace_device", "A-9", "S-9")
    assert "use 1 to 64 characters" in refused("replace_device", "A-1", " ")
