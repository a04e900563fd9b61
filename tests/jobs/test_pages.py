"""The pages of jobs: the list, a new job with its preview, one job with its results, and who may do what."""

import csv
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.support import people
from tests.support.builders import Fleet
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry, User
from tms.approvals.models import ApprovalRequest
from tms.boards.caches.running_jobs import RunningJobCache
from tms.commands.models import Command, TerminalCapabilities
from tms.feed.change import Change
from tms.fleet.models import Presence, Site, TerminalState
from tms.jobs import runner, services, starting
from tms.jobs.failures import must_stop
from tms.jobs.models import Item, Job, JobRun
from tms.jobs.services import JobValues
from tms.lib.calendar.recurrence import Occurrence

pytestmark = pytest.mark.both


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return people.signed_in(lead)


def job(by: User, **values: Any) -> Job:
    first = Occurrence(now(), now(3_600))
    chosen = {"name": "Ping all", "command": "ping", "query": "kind:kiosk", "first": first} | values
    return services.create_job(JobValues(**chosen), by=by, at=now())


def start(made: Job) -> JobRun:
    starting.start_due(now())
    runner.advance(now())
    return made.runs.get()


def settle(state: str, number: int, **fields: Any) -> None:
    """Let so many of what was sent end so."""
    pks = Item.objects.filter(state="sent").order_by("pk").values_list("pk", flat=True)[:number]
    Item.objects.filter(pk__in=list(pks)).update(state=state, ended_at=now(), **fields)


def page(browser: Client, path: str, status: int = 200, **data: Any) -> HtmlPage:
    answer = browser.get(path, data)
    assert answer.status_code == status, answer.content
    return HtmlPage(answer)


def form(**fields: Any) -> dict[str, Any]:
    """What the page of a new job sends."""
    return {
        "command": "ping",
        "args_of": "ping",
        "name": "Ping all",
        "by": "query",
        "q": "kind:kiosk",
        "start": "now",
        "ends_after_s": "1 h",
        "hours": "any",
        "at_once": "40",
    } | fields


def text_of(answer: Any) -> str:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)().decode("utf-8-sig")


def test_the_list_has_what_is_in_progress_scheduled_and_finished(fleet: Fleet, lead, browser):
    fleet.terminals_online(3)
    running, over = job(lead, name="Going"), job(lead, name="Over")
    start(running)
    settle("failed", 1, reason="failed", error="no paper")
    services.cancel(over, at=now())
    later = Occurrence(now(86_400), now(90_000))
    coming = job(lead, name="Tomorrow", first=later)

    shown = page(browser, "/jobs/")
    found = {show: page(browser, "/jobs/", show=show).text("job-list") for show in ("running", "scheduled", "failures")}
    named = page(browser, "/jobs/", q="tomor").text("job-list")

    listed = shown.text("job-list")
    assert listed.index("Going") < listed.index("Tomorrow") < listed.index("Over")
    assert {f"/jobs/{one.pk}/" for one in (running, coming)} <= shown.links()
    assert ("Going" in found["running"], "Tomorrow" in found["running"]) == (True, False)
    assert ("Tomorrow" in found["scheduled"], "Over" in found["scheduled"]) == (True, False)
    assert ("Going" in found["failures"], "Over" in found["failures"]) == (True, False)
    assert ("Tomorrow" in named, "Going" in named) == (True, False)


def test_a_list_without_jobs_offers_a_new_one(browser):
    assert "/jobs/new/" in page(browser, "/jobs/").links()


def test_a_job_shows_its_numbers_reasons_and_sites(fleet: Fleet, lead, browser):
    here, there = fleet.site("AAA"), fleet.site("BBB")
    fleet.terminals_online(3, site=here)
    away = fleet.terminals_online(1, site=there)[0]
    TerminalState.objects.filter(pk=away.pk).update(presence=Presence.OFFLINE)
    made = job(lead)
    run = start(made)
    settle("done", 1)
    settle("failed", 1, reason="failed", error="no <b>paper</b>")

    shown = page(browser, f"/jobs/{made.pk}/")
    waiting = page(browser, f"/jobs/{made.pk}/", show="waiting")
    failed = page(browser, f"/jobs/{made.pk}/", show="failed")

    numbers = [shown.text(f"job-{name}") for name in ("done", "sent", "failed", "waiting", "total")]
    assert numbers == ["1", "1", "1", "1", "4"]
    assert "no <b>paper</b>" not in shown.html
    assert "Offline; tried again when it is back" in waiting.text("job")
    assert (len(shown.rows("item-")), len(failed.rows("item-"))) == (2, 1)
    assert f"/jobs/new/?retry={run.pk}" in shown.links()
    assert {"/sites/AAA/", "/sites/BBB/"} <= shown.links()


def test_a_running_job_asks_for_itself_again_until_it_is_over(fleet: Fleet, lead, browser):
    fleet.terminals_online(1)
    made = job(lead)
    headers = {"HX-Request": "true"}
    new = browser.get(f"/jobs/{made.pk}/", headers=headers).content.decode()
    start(made)

    before = browser.get(f"/jobs/{made.pk}/", headers=headers).content.decode()
    settle("done", 1)
    runner.advance(now())
    after = browser.get(f"/jobs/{made.pk}/", headers=headers).content.decode()

    assert ("every 2s" in new, "every 2s" in before, "every" in after) == (True, True, False)
    assert "<html" not in before


def test_what_is_over_does_not_say_that_it_is_tried_again(fleet: Fleet, lead, browser):
    away = fleet.terminals_online(1)[0]
    TerminalState.objects.filter(pk=away.pk).update(presence=Presence.OFFLINE)
    made = job(lead)
    start(made)
    waiting = page(browser, f"/jobs/{made.pk}/", show="waiting").text("job")

    runner.advance(now(3_600))

    assert "Offline; tried again when it is back" in waiting
    over = page(browser, f"/jobs/{made.pk}/", show="expired").text("job")
    assert ("It was offline" in over, "tried again" in over) == (True, False)


def test_results_are_pages(fleet: Fleet, lead, browser, monkeypatch):
    monkeypatch.setattr("tms.jobs.pages.results.A_PAGE", 2)
    fleet.terminals_online(3)
    made = job(lead)
    start(made)
    settle("done", 3)

    first = page(browser, f"/jobs/{made.pk}/")
    (following,) = [link for link in first.links() if "after=" in link]
    second = page(browser, f"/jobs/{made.pk}/{following}")

    assert (len(first.rows("item-")), len(second.rows("item-"))) == (2, 1)
    assert not set(first.rows("item-")) & set(second.rows("item-"))


def test_a_job_is_paused_resumed_and_cancelled(fleet: Fleet, lead, browser):
    fleet.terminals_online(2)
    made = job(lead)
    start(made)
    states = []

    for verb in ("pause", "resume", "cancel"):
        assert browser.post(f"/jobs/{made.pk}/{verb}/").status_code == 302
        made.refresh_from_db()
        states.append(made.state)

    assert states == ["paused", "active", "cancelled"]
    assert browser.post(f"/jobs/{made.pk}/resume/").status_code == 409
    assert browser.get(f"/jobs/{made.pk}/cancel/").status_code == 409


def test_the_page_before_cancelling_says_what_it_means(fleet: Fleet, lead, browser):
    fleet.terminals_online(2)
    made = job(lead, at_once=1)
    start(made)

    text = page(browser, f"/jobs/{made.pk}/cancel/").text("main")

    assert "1 terminal that waits does not get the command." in text
    assert "1 terminal has been sent it, and may still do it." in text


def test_the_items_are_exported_with_neutral_cells_and_an_entry_in_the_audit_trail(fleet: Fleet, lead, browser):
    fleet.terminals_online(2)
    made = job(lead)
    start(made)
    settle("failed", 1, reason="failed", error="=1+1")

    answer = browser.get(f"/jobs/{made.pk}/export/")
    rows = list(csv.DictReader(StringIO(text_of(answer))))

    assert [row["state"] for row in rows] == ["failed", "sent"]
    assert not rows[0]["error"].startswith("=")
    assert AuditEntry.objects.filter(action="exported", subject_type="jobs.job").exists()


def test_a_job_is_made_with_what_the_form_says(fleet: Fleet, lead, browser):
    fleet.terminals_online(1)
    limits = {"at_once": "7", "per_site": "2", "retry_limit": "1", "retry_after_s": "2 min", "retry_for": ["no_answer"]}

    answer = browser.post("/jobs/new/", form(stop_above_pct="5", stop_after="30", comment="Asked for", **limits))

    made = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{made.pk}/")
    assert (made.at_once, made.per_site, made.length_s, made.comment) == (7, 2, 3_600, "Asked for")
    assert (made.retry_limit, made.retry_after_s, made.retry_for) == (1, 120, ["no_answer"])
    assert (made.stop_above_pct, made.stop_after, made.query, made.started_by) == (5, 30, "kind:kiosk", lead)


def test_a_job_is_tried_on_one_terminal_first(fleet: Fleet, lead, browser):
    fleet.terminals_online(2)
    reboot = form(command="reboot", args_of="reboot", is_trial="1")

    asked = HtmlPage(browser.post("/jobs/new/", reboot))
    browser.post("/jobs/new/", reboot | {"is_confirmed": "1", "number": "2"})
    browser.post("/jobs/new/", form(is_trial="1"))
    start(Job.objects.get(command="ping"))
    settle("done", 1)
    runner.advance(now())

    assert 'name="is_trial" value="1"' in asked.html
    assert set(Job.objects.values_list("is_trial", flat=True)) == {True}


@pytest.mark.parametrize("command", ["ping", "reboot"])
def test_a_form_that_is_sent_twice_makes_one_job(fleet: Fleet, browser, command):
    fleet.terminals_online(1)
    sent = form(command=command, args_of=command, is_confirmed="1", number="1")

    answers = [browser.post("/jobs/new/", sent)["Location"] for _ in range(2)]
    browser.post("/jobs/new/", sent | {"name": "Another"})

    assert answers[0] == answers[1]
    assert Job.objects.count() == 2


def test_arguments_have_fields_of_their_own(fleet: Fleet, browser):
    fleet.terminals_online(1)
    logs = form(command="collect_logs", args_of="collect_logs", name="Logs")

    wrong = browser.post("/jobs/new/", logs | {"args-lines": "500"})
    browser.post("/jobs/new/", logs | {"args-lines": "50"})

    assert wrong.status_code == 422
    assert (Job.objects.get().args, Job.objects.get().name) == ({"lines": 50}, "Logs")


def test_a_recurring_job_starts_at_its_local_time(fleet: Fleet, browser):
    fields = {"start": "at", "starts_at": "2090-11-29 03:00", "time_zone": "Asia/Tokyo", "repeats": "daily"}

    browser.post("/jobs/new/", form(**fields))

    made = Job.objects.get()
    assert (made.rrule, made.occurs_at.isoformat()) == ("FREQ=DAILY", "2090-11-28T18:00:00+00:00")
    assert f"/jobs/{made.pk}/" in page(browser, "/jobs/", show="scheduled").links()


WRONG = [
    ({"name": ""}, "name"),
    ({"command": "dance"}, "command"),
    ({"q": ""}, "q"),
    ({"q": "kindd:kiosk"}, "q"),
    ({"q": "kind:gate"}, "q"),
    ({"by": "terminals"}, "terminals"),
    ({"by": "terminals", "terminals": "nobody"}, "terminals"),
    ({"start": "at"}, "starts_at"),
    ({"start": "at", "starts_at": "2001-01-01 03:00", "time_zone": "UTC"}, "starts_at"),
    ({"ends_after_s": "90 d"}, "ends_after_s"),
    ({"at_once": "0"}, "at_once"),
    ({"retry_limit": "2"}, "retry_for"),
    ({"stop_above_pct": "100"}, "stop_above_pct"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(fleet: Fleet, browser, wrong, field):
    fleet.terminals_online(1)

    answer = browser.post("/jobs/new/", form(**wrong))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Job.objects.exists()


def test_the_preview_says_whom_the_job_reaches_and_who_is_left_out(fleet: Fleet, browser):
    able, unable, retired = fleet.terminals_online(3, site=fleet.site("AAA"))
    fleet.terminals_online(1, site=fleet.site("BBB"), kind="gate")
    TerminalCapabilities.objects.create(terminal=unable, names="reboot")
    TerminalCapabilities.objects.create(terminal=able, names="ping\nreboot")
    type(retired).objects.filter(pk=retired.pk).update(lifecycle="retired")

    shown = HtmlPage(browser.post("/jobs/new/preview/", form(seen="9")))

    assert shown.text("preview-sent") == "1 at 1 site, 3 match"
    notes = shown.text("preview-notes")
    assert "1 is skipped: it does not know the command." in notes
    assert "1 is skipped: it is retired." in notes
    assert "You saw 9 in the list; 3 match now." in notes
    assert "No second person needed" in notes


@pytest.mark.parametrize(
    ("limits", "takes"),
    [({}, "10 s 40 at once"), ({"at_once": "2"}, "20 s 2 at once"), ({"per_site": "1"}, "30 s 40 at once, 1 a site")],
)
def test_the_preview_estimates_from_the_last_run_how_long_it_takes(fleet: Fleet, lead, browser, limits, takes):
    fleet.terminals_online(3, site=fleet.site("AAA"))
    fleet.terminals_online(1, site=fleet.site("BBB"))
    unknown = HtmlPage(browser.post("/jobs/new/preview/", form(**limits))).text("preview-takes")
    start(job(lead))
    Command.objects.update(sent_at=now(), answered_at=now(9.5))
    settle("done", 4)
    runner.advance(now())

    shown = HtmlPage(browser.post("/jobs/new/preview/", form(**limits)))

    assert (unknown, shown.text("preview-takes")) == ("–", takes)


def test_the_preview_says_what_the_guards_hold(fleet: Fleet, browser, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals_online(1, site=fleet.site("AAA"))
    fleet.terminals_online(2, site=fleet.site("BBB"))

    shown = HtmlPage(browser.post("/jobs/new/preview/", form(command="reboot")))

    assert "1 open site has one working lane: it waits." in shown.text("preview-notes")
    assert "A second person must approve it" in shown.text("preview-notes")
    assert shown.attribute("id_args-delay_s", "name") == "args-delay_s"


def test_the_preview_of_half_a_form_says_what_is_missing(browser):
    empty = browser.post("/jobs/new/preview/", form(q=""))
    broken = browser.post("/jobs/new/preview/", form(q="kind:"))
    unknown = browser.post("/jobs/new/preview/", form(q="group:Nobody"))

    assert (empty.status_code, broken.status_code) == (200, 200)
    assert "There is no group “Nobody”. (column 7)" in HtmlPage(unknown).text("preview")
    assert not Job.objects.exists()


def test_a_dangerous_job_is_confirmed_and_shown_again_if_it_grew(fleet: Fleet, browser):
    fleet.terminals_online(2)
    reboot = form(command="reboot", args_of="reboot")

    asked = browser.post("/jobs/new/", reboot)
    fleet.terminals_online(1)
    grown = browser.post("/jobs/new/", reboot | {"is_confirmed": "1", "number": "2"})
    done = browser.post("/jobs/new/", reboot | {"is_confirmed": "1", "number": "3"})

    assert (asked.status_code, grown.status_code, done.status_code) == (200, 409, 302)
    assert Job.objects.get().command == "reboot"


def test_a_large_dangerous_job_waits_for_a_second_person(fleet: Fleet, browser, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals_online(3)
    reboot = form(command="reboot", args_of="reboot", is_confirmed="1", number="3")

    unsure = browser.post("/jobs/new/", reboot)
    alone = browser.post("/jobs/new/", reboot | {"typed": "3"})

    assert (unsure.status_code, alone.status_code) == (422, 302)
    assert AuditEntry.objects.filter(action="acted-alone").exists()
    assert not ApprovalRequest.objects.exists()


def test_the_form_is_filled_in_with_what_was_handed_over(fleet: Fleet, browser):
    one, two = fleet.terminals_online(2)

    chosen = page(browser, "/jobs/new/", terminal=[one.uid, two.uid]).html
    posted = browser.post("/jobs/new/", {"prefill": "1", "terminal": [one.uid]}).content.decode()
    all_of = page(browser, "/jobs/new/", all="1", q="kind:kiosk", count="2")

    assert (f'value="{one.uid}"' in chosen, f'value="{two.uid}"' in chosen) == (True, True)
    assert (f'value="{one.uid}"' in posted, f'value="{two.uid}"' in posted) == (True, False)
    assert (all_of.attribute("q", "value"), 'name="seen" value="2"' in all_of.html) == ("kind:kiosk", True)


def test_a_retry_is_a_new_job_with_the_failed_terminals_of_a_reason(fleet: Fleet, lead, browser):
    one, two, three = fleet.terminals_online(3)
    run = start(job(lead))
    for terminal, error in ((one, "no paper"), (two, "jammed")):
        Item.objects.filter(terminal=terminal).update(state="failed", reason="failed", error=error, ended_at=now())

    of_all = page(browser, "/jobs/new/", retry=run.pk).html
    of_one = page(browser, "/jobs/new/", retry=run.pk, reason="failed", error="jammed").html

    assert [f'value="{each.uid}"' in of_all for each in (one, two, three)] == [True, True, False]
    assert [f'value="{each.uid}"' in of_one for each in (one, two, three)] == [False, True, False]
    assert "Retry: Ping all" in of_one


def test_a_job_can_be_copied(fleet: Fleet, lead, browser):
    made = job(lead, at_once=7, query="kind:gate")

    shown = page(browser, "/jobs/new/", job=made.pk)

    assert (shown.attribute("q", "value"), shown.attribute("id_at_once", "value")) == ("kind:gate", "7")


def test_a_viewer_of_the_scope_of_the_starter_reads_and_changes_nothing(fleet: Fleet):
    here, there = fleet.site("AAA"), fleet.site("BBB")
    fleet.terminals_online(1, site=here)
    fleet.terminals_online(1, site=there)
    local = scoped("local", "Lead", here)
    made = job(local)
    start(made)
    viewer, stranger = (people.signed_in(scoped(name, "Viewer", site)) for name, site in (("v", here), ("s", there)))

    assert "Ping all" in page(viewer, f"/jobs/{made.pk}/").html
    assert f"/jobs/{made.pk}/" in page(viewer, "/jobs/").links()
    assert [viewer.post(f"/jobs/{made.pk}/{verb}/").status_code for verb in ("pause", "cancel")] == [403, 403]
    assert viewer.get("/jobs/new/").status_code == 403
    assert f"/jobs/{made.pk}/" not in page(stranger, "/jobs/").links()
    assert [stranger.get(f"/jobs/{made.pk}/{path}").status_code for path in ("", "export/")] == [404, 404]


def test_people_control_jobs_of_others_only_where_they_may_run_all_of_them(fleet: Fleet, lead):
    here = fleet.site("AAA")
    wide, own = job(lead), job(scoped("local", "Lead", here))
    colleague = people.signed_in(scoped("other", "Lead", here))

    assert colleague.post(f"/jobs/{wide.pk}/pause/").status_code == 404
    assert colleague.post(f"/jobs/{own.pk}/pause/").status_code == 302
    assert people.signed_in(lead).post(f"/jobs/{own.pk}/resume/").status_code == 302


def scoped(name: str, role: str, site: Site) -> User:
    person = people.person(name, of=None)
    people.grant(person, role, site=site)
    return person


RULES = [
    ((0, 20), (0, 100), False),
    ((10, 20), (17, 2), False),
    ((10, 20), (18, 2), False),
    ((10, 20), (17, 3), True),
    ((10, 1), (0, 1), True),
]


@pytest.mark.parametrize(("rule", "numbers", "stops"), RULES)
def test_a_stop_rule_holds_above_its_share_of_enough_items(rule, numbers, stops):
    pct, after = rule
    done, failed = numbers

    assert must_stop(Job(stop_above_pct=pct, stop_after=after), {"done": done, "failed": failed}) is stops


def test_the_page_of_a_terminal_names_the_job_of_a_command(fleet: Fleet, lead, browser):
    (terminal,) = fleet.terminals_online(1)
    made = job(lead, name="Nightly <ping>")
    start(made)

    shown = page(browser, f"/terminals/{terminal.uid}/")

    assert f"/jobs/{made.pk}/" in shown.links()
    assert "Nightly <ping>" not in shown.html


def test_the_rail_counts_the_jobs_that_run(fleet: Fleet, lead, browser):
    fleet.terminals_online(1)
    start(job(lead))

    assert '<span class="count">1<span class="unseen"> running</span>' in page(browser, "/help/").html


def test_the_rail_asks_nothing_until_commands_change(fleet: Fleet, lead, django_assert_num_queries):
    cache = RunningJobCache()
    cache.unfed_stale_s, cache.min_interval_s = cache.stale_s, 0
    fleet.terminals_online(1)
    made = job(lead)

    before = cache.number_for(lead)
    with django_assert_num_queries(0):
        cache.number_for(lead)
    start(made)
    cache.changed(Change(commands=frozenset((1,))))

    assert (before, cache.number_for(lead)) == (0, 1)
