"""The catalogue: commands that customers define, and what each terminal is offered."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError

from tests.support import people
from tests.support.builders import AT, Link
from tests.support.rest import ApiClient, problem_of
from tms.accounts.models import AuditEntry
from tms.commands import capabilities, catalogue, definitions, services
from tms.commands.definitions import DefinitionValues
from tms.commands.models import Command, CommandDefinition, TerminalCapabilities
from tms.commands.services import CommandRefused
from tms.ingest.commit.transaction import write_in_transaction
from tms.jobs.models import Job

pytestmark = [pytest.mark.both, pytest.mark.embedded]

COPIES = {
    "type": "object",
    "properties": {"copies": {"type": "integer", "minimum": 1, "maximum": 5}},
    "additionalProperties": False,
}


def define(name: str = "print", **values: object) -> CommandDefinition:
    return definitions.define(name, DefinitionValues(**{"label": "Print", "arguments": COPIES} | values))


def boot(terminal, *names: str) -> None:
    write_in_transaction([Link(terminal).boot(capabilities=names)])


def offered(terminal) -> list[str]:
    return [spec.name for spec in catalogue.offered(terminal)]


def test_a_terminal_is_offered_what_it_named_at_boot_and_the_commands_of_tms_before(fleet):
    kiosk, gate = fleet.terminal(kind="kiosk"), fleet.terminal(kind="gate")
    define("print", kinds=["kiosk"])
    silent = offered(kiosk)

    for terminal in (kiosk, gate):
        boot(terminal, "print", "ping", "unknown")
    boot(kiosk)

    assert silent == ["ping", "reboot", "collect_logs"]
    assert (offered(kiosk), offered(gate)) == (["ping", "print"], ["ping"])


def test_capabilities_are_written_only_when_they_differ_and_by_one_statement(fleet, django_assert_max_num_queries):
    terminals = [fleet.terminal() for _ in range(3)]

    with django_assert_max_num_queries(1):
        capabilities.record({terminal.pk: ("b", "a", "a") for terminal in terminals})
    capabilities.record({terminals[0].pk: ("c",), terminals[1].pk: ()})

    assert list(TerminalCapabilities.objects.order_by("pk").values_list("names", flat=True)) == ["c", "a\nb", "a\nb"]


def test_a_command_that_a_terminal_does_not_support_is_refused_with_those_that_it_does(fleet):
    terminal = fleet.terminal(uid="T-1")
    boot(terminal, "ping")

    with pytest.raises(CommandRefused, match="T-1 does not support reboot; it supports: ping"):
        services.queue(terminal, name="reboot", args={}, by=None, at=AT)


def test_a_result_that_is_larger_than_the_command_allows_fails(fleet):
    terminal = fleet.terminal()
    define("print", max_result_bytes=10)
    boot(terminal, "print")
    for text in ("short", "long" * 10):
        command = services.queue(terminal, name="print", args={}, by=None, at=AT)
        services.dequeue({terminal.pk: 1}, at=AT)
        services.record_answers([services.Answered(command.pk, terminal.pk, text, "")], at=AT)

    assert list(Command.objects.order_by("pk").values_list("state", "result", "error")) == [
        ("done", "short", ""),
        ("failed", None, "the result has 42 bytes; at most 10 are allowed"),
    ]


WRONG = [
    ("Print", {}, "name"),
    ("ping", {}, "name"),
    ("print", {"label": ""}, "label"),
    ("print", {"arguments": {"type": "array"}}, "arguments"),
    ("print", {"kinds": ["toaster"]}, "kinds"),
    ("print", {"answer_within_s": float("nan")}, "answer_within_s"),
    ("print", {"max_result_bytes": 65_537}, "max_result_bytes"),
    ("print", {"files": 6, "file_types": ["text/plain"]}, "files"),
    ("print", {"files": 1}, "file_types"),
    ("print", {"files": 1, "file_types": ["text"]}, "file_types"),
    ("print", {"max_file_bytes": 50_000_001}, "max_file_bytes"),
]


@pytest.mark.parametrize(("name", "values", "field"), WRONG)
def test_a_definition_that_is_wrong_is_refused_at_its_field(name, values, field):
    with pytest.raises(ValidationError) as refused:
        define(name, **values)

    assert list(refused.value.message_dict) == [field]


def test_the_number_of_definitions_is_limited(fleet, monkeypatch):
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 1)
    define("one")

    with pytest.raises(definitions.TooManyDefinitions):
        define("two")


# REST


def administrator() -> ApiClient:
    person = people.person("root", of=None)
    people.grant(person, "Administrator")
    return ApiClient.of(person)


def test_an_administrator_defines_changes_and_deletes_a_command_and_a_lead_may_not(fleet):
    client, lead = administrator(), ApiClient.of(people.person("lead", of="Manager"))
    body = {"name": "print", "label": "Print", "arguments": COPIES}

    refused = lead.post("/commands", body)
    made = client.post("/commands", body)
    again = client.post("/commands", body)
    changed = client.send("PUT", "/commands/print", {"label": "Print it"}, If_Match=made["ETag"])
    stale = client.send("PUT", "/commands/print", {"label": "Print it"}, If_Match=made["ETag"])
    wrong = client.post("/commands", body | {"name": "other", "arguments": {"type": "object", "typo": 1}})
    deleted = client.send("DELETE", "/commands/print", If_Match=changed["ETag"])

    assert problem_of(refused) == (403, "tms:forbidden")
    assert (made.status_code, changed.json()["label"], deleted.status_code) == (201, "Print it", 204)
    assert problem_of(again) == (409, "tms:exists")
    assert problem_of(stale) == (412, "tms:command-changed")
    assert wrong.json()["errors"][0]["detail"].startswith("$.typo: unknown keyword")
    recorded = AuditEntry.objects.filter(subject_type="commands.commanddefinition").order_by("pk")
    assert list(recorded.values_list("action", flat=True)) == ["created", "changed", "deleted"]


def test_over_rest_a_change_that_stops_open_jobs_must_be_confirmed_with_their_number(fleet):
    client, definition = administrator(), define()
    for copies in (1, 5):
        values = {"command": "print", "args": {"copies": copies}, "length_s": 60, "time_zone": "UTC", "created_at": AT}
        Job.objects.create(name="Nightly", **values)
    put = partial(client.send, "PUT", "/commands/print", If_Match=client.get("/commands/print")["ETag"])
    one = {"label": "Print", "arguments": COPIES | {"properties": {"copies": {"maximum": 3}}}}

    asked = [
        put(one),
        put(one | {"confirm": 2}),
        put({"label": "Print", "arguments": COPIES, "danger": "deletes_data"}),
    ]
    unchanged = CommandDefinition.objects.get().arguments
    confirmed = put(one | {"confirm": 1})

    assert [problem_of(answer) for answer in asked] == [(409, "tms:confirmation-needed")] * 3
    assert ['"confirm": 1' in asked[0].json()["detail"], '"confirm": 2' in asked[2].json()["detail"]] == [True, True]
    assert (unchanged, confirmed.status_code) == (definition.arguments, 200)


def test_sending_a_command_checks_its_arguments_and_the_permission_for_the_terminal(fleet):
    here, there = fleet.terminal(site=fleet.site("AAA")), fleet.terminal(site=fleet.site("BBB"))
    define()
    boot(here, "print", "reboot")
    person = people.person("op", of=None)
    people.grant(person, "Operator", site=here.site)
    client = ApiClient.of(person)

    sent = client.post(f"/terminals/{here.uid}/commands", {"name": "print", "args": {"copies": 2}})
    wrong = client.post(f"/terminals/{here.uid}/commands", {"name": "print", "args": {"copies": 9}})
    dangerous = client.post(f"/terminals/{here.uid}/commands", {"name": "reboot"})
    elsewhere = client.post(f"/terminals/{there.uid}/commands", {"name": "ping"})

    assert (sent.status_code, sent.json()["args"], sent.json()["state"]) == (201, {"copies": 2}, "queued")
    assert wrong.json()["errors"] == [
        {
            "where": "$.args.copies",
            "detail": "$.args.copies: 9 is greater than the maximum of 5; allowed: 1 to 5",
        }
    ]
    assert (dangerous.status_code, elsewhere.status_code) == (403, 404)
    assert [item["name"] for item in client.get(f"/terminals/{here.uid}/commands").json()["items"]] == ["print"]


def test_over_rest_the_offered_commands_and_the_use_of_one_are_those_of_terminals_that_are_seen(fleet):
    here, there = fleet.terminal(site=fleet.site("AAA")), fleet.terminal(site=fleet.site("BBB"))
    define()
    for terminal in (here, there):
        boot(terminal, "print")
        services.queue(terminal, name="print", args={}, by=None, at=AT)
    person = people.person("viewer", of=None)
    people.grant(person, "Viewer", site=here.site)
    client = ApiClient.of(person)

    offered = client.get(f"/commands?terminal={here.uid}").json()["items"]
    elsewhere = client.get(f"/commands?terminal={there.uid}")
    usage, unknown = client.get("/commands/print/usage"), client.get("/commands/dance/usage")

    assert [item["name"] for item in offered] == ["print"]
    assert (elsewhere.status_code, unknown.status_code) == (422, 404)
    assert {name: usage.json()[name] for name in ("terminals", "open_jobs")} == {"terminals": 1, "open_jobs": 0}
    assert (usage.json()["results"]["queued"], usage.json()["last_used_at"] is None) == (1, False)


def test_a_command_that_deletes_data_needs_a_second_person(fleet):
    terminal = fleet.terminal()
    define("wipe", danger="deletes_data")
    boot(terminal, "wipe")
    lead = ApiClient.of(people.person("lead", of="Manager"))

    answer = lead.post(f"/terminals/{terminal.uid}/commands", {"name": "wipe"})

    assert answer.status_code == 409
    assert not Command.objects.exists()
