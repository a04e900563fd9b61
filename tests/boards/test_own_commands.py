"""Commands that customers define, on the pages of a terminal and of an alert, and in the audit trail."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.builders import Link
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage, values_of
from tms.commands import definitions
from tms.commands.definitions import DefinitionValues
from tms.commands.models import Command, Danger
from tms.fleet.models import Terminal
from tms.ingest.commit.transaction import write_in_transaction

pytestmark = [pytest.mark.both, pytest.mark.django_db]

VOLUME = {
    "type": "object",
    "properties": {
        "level": {"type": "integer", "minimum": 0, "maximum": 100, "title": "Level"},
        "zones": {"type": "array", "items": {"enum": ["in", "out"]}},
    },
    "required": ["level"],
    "additionalProperties": False,
}
ORDER = {"answer_within_s": "", "deliver_within_s": "3600"}


@pytest.fixture
def terminal(fleet) -> Terminal:
    found, _other = fleet.online(), fleet.online()
    values = DefinitionValues("Set the volume", label_ja="音量を設定", arguments=VOLUME, answer_within_s=45)
    definitions.define("set-volume", values)
    definitions.define("flush", DefinitionValues("Flush", arguments=VOLUME, danger=Danger.INTERRUPTS))
    definitions.define("brew", DefinitionValues("Brew coffee"))
    write_in_transaction([Link(found).boot(capabilities=["ping", "set-volume", "flush"])])
    return found


@pytest.fixture
def manager() -> Client:
    return people.signed_in(people.person("mari", of="Manager"))


def test_a_terminal_is_offered_what_it_supports_in_groups_and_says_what_it_does_not(terminal, manager):
    page = manager.get(terminal.get_absolute_url())
    operator = people.signed_in(people.person("rei", of="Operator")).get(terminal.get_absolute_url())

    asked = HtmlPage(page).text("ask")
    assert [asked.index(text) for text in ("Ping", "Set the volume", "Flush")] == sorted(
        asked.index(text) for text in ("Ping", "Set the volume", "Flush")
    )
    assert "Not supported by this terminal: Reboot, Collect logs, Upload logs, Take a screenshot, Brew coffee" in asked
    assert "Flush" not in HtmlPage(operator).text("ask")


def test_the_arguments_of_the_chosen_command_are_asked_for(terminal, manager):
    address = f"{terminal.get_absolute_url()}commands/arguments/"

    fields = HtmlPage(manager.get(address, {"name": "set-volume"}, headers=HTMX_HEADERS))
    none = [HtmlPage(manager.get(address, {"name": name})).ids for name in ("ping", "brew", "nothing", "")]

    assert fields.rows("id_args-")[0] == "id_args-level"
    assert none == [[], [], [], []]


def test_a_command_is_sent_with_its_arguments_and_a_wrong_one_is_said_at_its_field(terminal, manager):
    address, order = f"{terminal.get_absolute_url()}commands/", ORDER | {"name": "set-volume"}

    wrong = manager.post(address, order | {"args-level": "101"}, headers=HTMX_HEADERS)
    none = Command.objects.count()
    sent = manager.post(address, order | {"args-level": "40", "args-zones": ['"in"', '"out"']}, headers=HTMX_HEADERS)

    assert (wrong.status_code, none, sent.status_code) == (422, 0, 200)
    assert HtmlPage(wrong).text("id_args-level_error") == "At most 100."
    command = Command.objects.get()
    assert (command.args, command.answer_within_s) == ({"level": 40, "zones": ["in", "out"]}, 45)


def test_a_dangerous_command_keeps_its_arguments_over_the_question(terminal, manager):
    address, order = f"{terminal.get_absolute_url()}commands/", ORDER | {"name": "flush"}

    asked = HtmlPage(manager.post(address, order | {"args-level": "40", "args-zones": ['"in"', '"out"']}))
    entered = values_of(asked)
    sent = manager.post(address, {name: entered[name] for name in (*order, "args-level", "args-zones", "sure")})

    assert "Flush" in asked.text("main")
    assert '"level": 40' in asked.text("main")
    assert sent.status_code == 302
    assert Command.objects.get().args == {"level": 40, "zones": ["in", "out"]}


def test_its_label_is_shown_in_the_language_of_the_person(fleet, terminal, manager):
    fleet.command(terminal, at=now(-60), name="ping")
    manager.post(f"{terminal.get_absolute_url()}commands/", ORDER | {"name": "set-volume", "args-level": "4"})
    command = Command.objects.get(name="set-volume")
    root = people.signed_in(people.grant(people.person("root", of=None), "Administrator").person)

    english = HtmlPage(manager.get(terminal.get_absolute_url()))
    japanese = HtmlPage(manager.get(terminal.get_absolute_url(), headers={"Accept-Language": "ja"}))
    audit = root.get("/audit/", {"group": "commands"}).content.decode()

    for page, label in ((english, "Set the volume"), (japanese, "音量を設定")):
        assert label in page.text(f"command-{command.pk}")
        assert label in page.text(f"asked-{command.pk}")
    assert "Set the volume" in audit


def test_a_long_answer_is_formatted_and_collapsed_and_never_markup(fleet, terminal, manager):
    fleet.command(terminal, at=now())
    short, long = {"paper": 6}, {"<b>": [{"n": n} for n in range(2_000)]}
    shown = []
    for result in (short, long):
        Command.objects.update(state="done", sent_at=now(-2), answered_at=now(-1), result=result)
        shown.append(manager.get(terminal.get_absolute_url()).content.decode())

    assert "{\n  &quot;paper&quot;: 6\n}" in shown[0]
    assert "Only the beginning is shown" not in shown[0]
    assert "Only the beginning is shown" in shown[1]
    assert "<b>&quot;" not in shown[1]
    assert len(shown[1]) - len(shown[0]) < 8_000
