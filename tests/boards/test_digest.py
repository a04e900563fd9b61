import pytest

from tests.support import factories
from tests.support.factories import now
from tms.accounts.models import AuditEntry
from tms.shifts import notes
from tms.shifts.models import Note, SignOff

pytestmark = pytest.mark.both


def test_the_digest_shows_the_last_eight_hours(page, fleet, sato):
    old = factories.alert(fleet, opened_at=now(-9 * 3_600), rule=fleet.metric_rule(name="Old"))
    factories.alert(fleet, opened_at=now(-60), rule=fleet.metric_rule(name="Fresh"))
    factories.acknowledged(old, by=sato, comment="since yesterday")

    seen = page("/digest/")

    assert "Fresh" in seen.html
    assert "佐藤" in seen.text(f"open-{old.pk}")
    assert "since yesterday" in seen.text(f"open-{old.pk}")


def test_another_period_is_in_the_url_and_in_every_link(page, fleet):
    seen = page("/digest/?since=2026-11-25T06:00&until=2026-11-25T14:00&zone=Asia/Tokyo")

    query = "since=2026-11-25+06%3A00&until=2026-11-25+14%3A00&zone=Asia%2FTokyo"
    assert f"/digest/markdown/?{query}" in seen.links()
    assert "25 Nov 06:00 – 25 Nov 14:00" in seen.html


def test_a_note_is_written_edited_and_deleted(browser, page):
    browser.post("/digest/notes/?span=8h", {"text": "router at Umeda"})
    note = Note.objects.get()
    assert "router at Umeda" in page("/digest/").text(f"note-{note.pk}")

    browser.post(f"/digest/notes/{note.pk}/", {"text": "router at Umeda is back"})
    assert "is back edited" not in page("/digest/").html
    assert "is back" in page("/digest/").text(f"note-{note.pk}")

    browser.post(f"/digest/notes/{note.pk}/delete/")
    assert page("/digest/").rows("note-") == []


def test_an_empty_note_is_refused_with_a_message(browser):
    answer = browser.post("/digest/notes/", {"text": " "})

    assert answer.status_code == 422
    assert not Note.objects.exists()


def test_the_note_of_another_person_can_be_neither_edited_nor_deleted(browser, page, sato):
    note = notes.write("mine", by=sato, at=now(-60))

    assert browser.get(f"/digest/notes/{note.pk}/").status_code == 404
    assert browser.post(f"/digest/notes/{note.pk}/", {"text": "forged"}).status_code == 404
    assert browser.post(f"/digest/notes/{note.pk}/delete/").status_code == 404
    assert f"/digest/notes/{note.pk}/" not in "".join(page("/digest/").links())


def test_the_text_of_a_note_is_never_markup(page, sato):
    notes.write("<script>alert(1)</script>", by=sato, at=now(-60))

    assert "<script>alert" not in page("/digest/").html


def test_the_digest_is_downloaded_as_markdown(browser, fleet):
    factories.alert(fleet, opened_at=now(-60), rule=fleet.metric_rule(name="Fresh"))

    answer = browser.get("/digest/markdown/?span=8h")

    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"].endswith('.md"')
    assert "Fresh" in answer.content.decode()


def test_the_next_shift_signs_off_what_the_page_showed(browser, page):
    fields = {field.get("name"): field.get("value") for tag, field in page("/digest/").elements if tag == "input"}

    answer = browser.post("/digest/sign-off/?span=8h", {name: fields[name] for name in ("since", "until")})

    assert answer.status_code == 302
    assert "Signed off by M. Tanaka" in page("/digest/").text("signed")
    assert AuditEntry.objects.filter(action="signed-off").count() == 1


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-25T06:00", "2026-13-25T06:00:00Z", "x" * 10_000])
def test_a_period_that_the_page_did_not_send_is_not_signed_off(browser, since):
    answer = browser.post("/digest/sign-off/", {"since": since, "until": "2026-11-25T06:00:00Z"})

    assert answer.status_code == 400
    assert not SignOff.objects.exists()


def test_incidents_are_first(page, fleet):
    incident = factories.incident(fleet)

    seen = page("/digest/")

    assert seen.ids.index(f"incident-{incident.pk}") < seen.ids.index("notes")


def test_a_period_of_more_than_31_days_is_reported(page):
    seen = page("/digest/?since=2026-01-01T00:00&until=2026-03-01T00:00")

    assert "The period must not exceed 31 days." in seen.html
    assert "/digest/markdown/?span=8h" in seen.links()
