"""The pages of the catalogue: who may read and change it, the form of a schema, and what jobs need."""

import json

import pytest

from tests.support import people
from tests.support.builders import AT, Link, later
from tests.support.pages import HtmlPage, values_of
from tests.support.rest import ApiClient, problem_of
from tms.accounts.models import AuditEntry, User
from tms.boards.templatetags.labels import size
from tms.commands import catalogue_lines, definitions, services
from tms.commands.definitions import DefinitionValues
from tms.commands.kinds import CATALOG
from tms.commands.models import Command, CommandDefinition
from tms.commands.schema_positions import line_of
from tms.ingest.commit.transaction import write_in_transaction
from tms.jobs.models import Job

pytestmark = [pytest.mark.both, pytest.mark.django_db]

SCHEMA = """{
  "type": "object",
  "properties": {
    "volume": {"type": "integer", "minimum": 0, "maximum": 10, "title": "Volume", "x-title-ja": "音量"},
    "a": {"enum": ["x", "y"]}
  }
}"""


@pytest.fixture
def administrator() -> User:
    return people.grant(people.person("root", of=None), "Administrator").person


def define(name: str = "beep", **values) -> CommandDefinition:
    return definitions.define(name, DefinitionValues(**{"label": "Beep", "label_ja": "ビープ"} | values))


def entered(**values) -> dict[str, object]:
    return {
        "label": "Beep",
        "label_ja": "",
        "danger": "none",
        "answer_within_s": "30",
        "max_result_bytes": "4096",
        "uploads": "2",
        "file_types": "text/plain",
        "max_file_bytes": "1000",
        "arguments": SCHEMA,
    } | values


def version_of(answer) -> str:
    return values_of(HtmlPage(answer))["version"][0]


def errors_of(answer) -> list[str]:
    return [element for element in HtmlPage(answer).ids if element.endswith("_error")]


def job_of(command: str, *, args: dict | None = None, by: User | None = None) -> Job:
    return Job.objects.create(
        name="Nightly", command=command, args=args or {}, length_s=60, time_zone="UTC", created_at=AT, started_by=by
    )


def test_people_who_may_send_read_the_catalogue_with_the_numbers_of_what_they_see(fleet):
    here, there = fleet.terminal(site=fleet.site("AAA")), fleet.terminal(site=fleet.site("BBB"))
    define(kinds=["kiosk"])
    write_in_transaction([Link(terminal).boot(capabilities=["beep"]) for terminal in (here, there)])
    for terminal in (here, there):
        services.queue(terminal, name="beep", args={}, by=None, at=AT)
    operator = people.person("op", of=None)
    people.grant(operator, "Operator", site=here.site)
    browser = people.signed_in(operator)

    answer = browser.get("/commands/", {"q": "beep"})
    one, other = browser.get("/commands/beep/"), browser.get("/commands/ping/")
    unused = HtmlPage(browser.get("/commands/", {"show": "unused"})).rows("command-")
    refused = people.signed_in(people.person("viewer")).get("/commands/")

    page = HtmlPage(answer)
    assert page.rows("command-") == ["command-beep"]
    assert page.text("command-beep").startswith("Beep beep none Kiosk None 30 s 4.1 KB 1 0")
    assert "1 terminal" in HtmlPage(one).text("main")
    assert unused == [f"command-{name}" for name in CATALOG]
    assert "/commands/new/" not in page.links()
    assert [answer.status_code for answer in (one, other, refused)] == [200, 200, 403]
    assert 'id="command-form"' not in one.content.decode()
    assert browser.post("/commands/beep/", entered()).status_code == 403


def test_the_last_use_is_found_however_long_ago_and_wherever_it_was(fleet, django_assert_num_queries):
    here, there = fleet.terminal(site=fleet.site("AAA")), fleet.terminal(site=fleet.site("BBB"))
    fleet.command(there, name="reboot", at=AT)
    for number in range(3):
        fleet.command(here, name="ping", at=later(number))
    viewer = people.grant(people.person("op", of=None), "Operator", site=here.site).person

    with django_assert_num_queries(1):
        found = Command.objects.last_uses(["collect_logs", "ping", "reboot"])

    assert found == {"reboot": AT, "ping": later(2)}
    assert catalogue_lines.usage_of("reboot", viewer).results["queued"] == 0
    assert catalogue_lines.usage_of("ping", viewer).results["queued"] == 3


def test_a_command_is_defined_and_changed_with_the_schema_as_it_was_written(fleet, administrator):
    browser = people.signed_in(administrator)

    wrong = browser.post("/commands/new/", entered(name="Beep!", answer_within_s="0", file_types=""))
    made = browser.post("/commands/new/", entered(name="beep"))
    twice = browser.post("/commands/new/", entered(name="beep"))
    page = browser.get("/commands/beep/")
    version = version_of(page)
    changed = browser.post("/commands/beep/", entered(label="Beep twice", version=version))
    stale = browser.post("/commands/beep/", entered(label="Beep thrice", version=version))

    assert (wrong.status_code, errors_of(wrong)) == (
        422,
        ["id_name_error", "id_answer_within_s_error", "id_file_types_error"],
    )
    assert (made.status_code, made["Location"]) == (302, "/commands/beep/")
    assert (twice.status_code, errors_of(twice)) == (422, ["id_name_error"])
    assert HtmlPage(page).text("id_arguments") == " ".join(SCHEMA.split())
    assert HtmlPage(page).rows("id_args-")[0] == "id_args-volume"
    assert (changed.status_code, stale.status_code) == (302, 422)
    assert "Somebody changed this command meanwhile" in stale.content.decode()
    definition = CommandDefinition.objects.get()
    assert (definition.label, definition.files, definition.file_types) == ("Beep twice", 2, ["text/plain"])
    entries = AuditEntry.objects.filter(subject_type="commands.commanddefinition").order_by("pk")
    assert [sorted(entry.changes) for entry in entries][1] == ["label"]


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 B"), (4_096, "4.1 KB"), (999_999, "1,000 KB"), (50_000_000, "50 MB")]
)
def test_sizes_are_in_the_units_of_the_settings(number, shown):
    assert size(number) == shown


LINES = [
    ('{\n "type": "object",\n "typo": 1\n}', "Line 3: $.typo: unknown keyword"),
    ('{\n "type": "object",\n', "Line 2, column "),
    (
        '{"type": "object",\n"properties": {"a": {"type": "integer"},\n"b": {\n"lowest": 1}}}',
        "Line 4: $.properties.b.lowest",
    ),
    (
        '{"type": "object",\n"properties": {"a": {"type": "integer"}},\n"examples": [{"a": 1},\n{"a": "x"}]}',
        "Line 4: $.examples[1]",
    ),
    ("[]", "Line 1: $: must be an object"),
]


@pytest.mark.parametrize(("text", "problem"), LINES)
def test_an_error_of_the_schema_names_its_line(administrator, text, problem):
    answer = people.signed_in(administrator).post("/commands/new/preview/", entered(arguments=text))

    assert HtmlPage(answer).text("schema-error").startswith(problem)


def test_the_line_of_a_deep_text_is_found_in_linear_time():
    text = '{"a": ' + "[" * 15_000 + "]" * 15_000 + ',\n"b": 1}'

    assert line_of(text, "$.b") == 2


def test_the_preview_is_the_form_as_people_see_it_and_checks_what_is_tried(administrator):
    browser = people.signed_in(administrator)

    shown = browser.post("/commands/new/preview/", entered(language="ja"))
    tried = browser.post("/commands/new/preview/", entered(language="en") | {"name": "beep", "args-volume": "11"})
    right = browser.post("/commands/new/preview/", entered() | {"name": "beep", "args-volume": "7", "args-a": '"y"'})

    assert "音量" in shown.content.decode()
    assert "At most 10." in tried.content.decode()
    assert json.loads(HtmlPage(right).text("command-body").partition("commands ")[2]) == {
        "name": "beep",
        "args": {"volume": 7, "a": "y"},
    }


def test_planned_jobs_whose_arguments_a_new_schema_refuses_are_named_before_it_is_saved(administrator):
    definition = define(arguments=json.loads(SCHEMA))
    job_of("beep", args={"volume": 9})
    browser = people.signed_in(administrator)
    smaller = SCHEMA.replace("10", "5")
    version = version_of(browser.get("/commands/beep/"))

    asked = browser.post("/commands/beep/", entered(arguments=smaller, version=version))
    saved = browser.post("/commands/beep/", entered(arguments=smaller, version=version, confirm="1"))

    assert asked.status_code == 422
    assert "1 open job cannot send the changed command" in asked.content.decode()
    assert saved.status_code == 302
    definition.refresh_from_db()
    assert definition.arguments["properties"]["volume"]["maximum"] == 5


def test_a_command_is_deleted_once_no_open_job_needs_it(administrator):
    define()
    job = job_of("beep", by=people.person("other"))
    browser = people.signed_in(administrator)

    asked = HtmlPage(browser.get("/commands/beep/delete/"))
    refused = browser.post("/commands/beep/delete/")
    client = ApiClient.of(administrator)
    by_rest = client.send("DELETE", "/commands/beep", If_Match=client.get("/commands/beep")["ETag"])
    Job.objects.filter(pk=job.pk).update(state="finished")
    deleted = browser.post("/commands/beep/delete/")

    assert "Nightly" in asked.html
    assert problem_of(by_rest) == (409, "tms:command-in-use")
    assert (refused.status_code, deleted.status_code, deleted["Location"]) == (409, 302, "/commands/")
    assert not CommandDefinition.objects.exists()
    assert browser.get("/commands/beep/").status_code == 404


def test_commands_of_tms_can_be_neither_changed_nor_deleted(administrator):
    browser = people.signed_in(administrator)

    statuses = [browser.post(path, entered()).status_code for path in ("/commands/ping/", "/commands/ping/delete/")]

    assert statuses == [404, 404]
    assert 'id="command-form"' not in browser.get("/commands/ping/").content.decode()
