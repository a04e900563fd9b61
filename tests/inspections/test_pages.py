"""The pages of inspections: the list, the form for phones, photos, exports, and who may do what."""

import csv
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.inspections.pictures import EXIF, PNG
from tests.support import people
from tests.support.pages import HtmlPage, values_of
from tests.support.rest import ApiClient, problem_of
from tms.accounts.models import AuditEntry
from tms.inspections.models import Inspection, Round
from tms.inspections.pdf import document
from tms.main import api_v1

pytestmark = [pytest.mark.both, pytest.mark.django_db]
assert api_v1


@pytest.fixture
def operator() -> Client:
    return people.signed_in(people.person("rei", of="Operator"))


def page(browser: Client, path: str, status: int = 200) -> HtmlPage:
    answer = browser.get(path)
    assert answer.status_code == status, answer.content
    return HtmlPage(answer)


def sent(key: Any = None, **fields: Any) -> dict[str, Any]:
    """What the form of a device in order sends."""
    return {
        "key": str(key or uuid4()),
        "result": "in_order",
        "seen_serial": "4388",
        "surroundings": ["no_extra_parts", "cables", "no_unknown_device"],
        "seals-TOTAL_FORMS": 1,
        "seals-INITIAL_FORMS": 0,
        "seals-0-number": "A-20418",
        "seals-0-where": "back",
        "seals-0-state": "intact",
    } | fields


def text_of(answer: Any) -> str:
    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)().decode()


def test_a_lead_starts_and_closes_a_round(placed):
    placed()
    lead = people.signed_in(people.person("lead", of="Manager"))

    started = lead.post("/inspections/rounds/new/", {"name": "Q4", "due_on": "2099-12-31", "every_days": 90})
    made = Round.objects.get()
    question = page(lead, f"/inspections/rounds/{made.pk}/close/")
    lead.post(f"/inspections/rounds/{made.pk}/close/", {"comment": "Done"})
    again = lead.post(f"/inspections/rounds/{made.pk}/close/")

    assert started["Location"] == f"/inspections/?round={made.pk}"
    assert "1 device was not inspected" in question.html
    assert again.status_code == 409
    entries = AuditEntry.objects.filter(subject_type="inspections.round").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["round-started", "round-closed"]


def test_a_round_with_errors_comes_back_with_its_form(placed):
    lead = people.signed_in(people.person("lead", of="Manager"))

    answer = lead.post("/inspections/rounds/new/", {"name": "", "due_on": "2020-01-01", "every_days": 0})

    assert answer.status_code == 422
    assert all(HtmlPage(answer).text(f"id_{name}_error") for name in ("name", "due_on", "every_days"))


def test_the_phone_goes_from_device_to_device_and_offers_the_seals_of_last_time(operator, placed, start, inspect):
    site = placed("A-1111", uid="A-1").site
    placed("A-2222", uid="A-2", site=site)
    first = start()

    begun = operator.get(f"/inspections/{first.pk}/next/?site={site.code}")
    done = operator.post(f"/inspections/{first.pk}/A-1/", sent(seen_serial="1111"))
    following = operator.get(done["Location"])
    second = start()
    form = page(operator, f"/inspections/{second.pk}/A-1/")

    assert begun["Location"] == f"/inspections/{first.pk}/A-1/"
    assert following["Location"] == f"/inspections/{first.pk}/A-2/"
    assert values_of(form)["seals-0-number"] == ["A-20418"]
    assert "seals-0-state" not in values_of(form)  # each is to be looked at


def test_the_same_submission_is_stored_once_and_another_one_has_to_be_a_correction(operator, placed, start):
    one, key = placed(), uuid4()
    path = f"/inspections/{start().pk}/{one.uid}/"

    answers = [operator.post(path, sent(key), headers={"Accept": "application/json"}) for _ in range(2)]
    other = operator.post(path, sent())
    found = Inspection.objects.get()
    corrected = operator.post(path, sent(corrects=found.pk, result="looks_tampered"))

    assert [answer.json() for answer in answers] == [answers[0].json()] * 2
    assert other.status_code == 409
    assert corrected["Location"] == Inspection.objects.valid().get().get_absolute_url()
    assert Inspection.objects.count() == 2


def test_a_form_with_faults_comes_back_as_it_was(operator, placed, start):
    one = placed()
    path = f"/inspections/{start().pk}/{one.uid}/"
    key = str(uuid4())

    answer = operator.post(path, sent(key, seen_serial="9999", **{"seals-0-state": ""}))
    script = operator.post(path, sent(seen_serial="9999"), headers={"Accept": "application/json"})

    values = values_of(HtmlPage(answer))
    assert (answer.status_code, script.status_code) == (422, 422)
    assert (values["key"], values["seen_serial"], values["seals-0-number"]) == ([key], ["9999"], ["A-20418"])
    assert "does not match" in script.json()["errors"][0]


def test_the_page_of_a_tampered_device_leads_to_its_alert(fleet, operator, placed, start, inspect):
    fleet.event_rule("tms.looks_tampered", severity="critical")
    one = placed()
    found = inspect(start(), one, "looks_tampered")

    shown = page(operator, found.get_absolute_url())

    assert f"/alerts/{found.alert_id}/" in shown.links()
    assert found.get_absolute_url() in page(operator, one.get_absolute_url()).links()


# Photos


def test_a_photo_is_stored_without_its_position_and_only_shown_to_people_who_see_the_terminal(operator, placed, start):
    one = placed()
    path = f"/inspections/{start().pk}/{one.uid}/"

    operator.post(path, sent(photo=SimpleUploadedFile("../IMG 1.exe", PNG, "text/html")))
    found = Inspection.objects.get()
    shown = operator.get(f"/inspections/photos/{found.pk}/")
    elsewhere = people.person("ken", of=None)
    people.grant(elsewhere, "Operator", site=type(one.site).objects.create(code="OSK", name="Osaka"))

    assert found.photo.name.startswith("inspections/")
    assert "IMG" not in found.photo.name
    assert EXIF not in shown.content
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert people.signed_in(elsewhere).get(f"/inspections/photos/{found.pk}/").status_code == 404


def test_a_file_that_is_no_photo_is_refused(operator, placed, start):
    one = placed()

    answer = operator.post(
        f"/inspections/{start().pk}/{one.uid}/", sent(photo=SimpleUploadedFile("a.png", b"<svg onload=x>"))
    )

    assert answer.status_code == 422
    assert "JPEG, PNG or WebP" in HtmlPage(answer).text("id_photo_error")
    assert not Inspection.objects.exists()


# The list


def test_the_list_has_what_needs_attention_first_and_filters(operator, placed, start, inspect):
    order, tampered = placed("A-1111", uid="A-1"), placed("A-2222", uid="A-2")
    placed("A-3333", uid="A-3")
    started = start()
    inspect(started, order, seen_serial="1111")
    inspect(started, tampered, "looks_tampered")

    everything = page(operator, "/inspections/").html
    filtered = page(operator, f"/inspections/?round={started.pk}&show=tampered").html
    by_seal = page(operator, "/inspections/?q=A-20418").html

    assert everything.index(">A-2<") < everything.index(">A-3<") < everything.index(">A-1<")
    assert (">A-2<" in filtered, ">A-1<" in filtered) == (True, False)
    assert (">A-2<" in by_seal, ">A-1<" in by_seal) == (False, True)


def test_a_longer_list_needs_no_more_queries(operator, placed, start, inspect, fleet):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            page(operator, "/inspections/")
        return len(found)

    one = placed("A-0000")
    first = start()
    inspect(first, one, seen_serial="0000")
    page(operator, "/inspections/")
    few = queries()
    more = [placed(f"A-{number}", site=fleet.site(f"S{number % 7}")) for number in range(1000, 1049)]
    second = start(name="Second")
    for terminal in [one, *more][:20]:
        inspect(second, terminal, seen_serial=terminal.placements.get().device.serial)

    assert queries() == few


# Exports


def test_the_list_of_devices_leaves_as_csv_and_pdf(operator, placed, start, inspect):
    one = placed("=PX1+4388", uid="A-1", label="Counter 11")
    placed("PX-9", uid="A-2")
    started = start()
    found = inspect(started, one, by=people.person("mori"))

    rows = list(csv.DictReader(StringIO(text_of(operator.get("/inspections/export/")).removeprefix("\ufeff"))))
    pdf = operator.get(f"/inspections/pdf/?round={started.pk}")

    assert [(row["uid"], row["serial"], row["result"], row["by"]) for row in rows] == [
        ("A-1", "'=PX1+4388", "in_order", "mori"),
        ("A-2", "PX-9", "", ""),
    ]
    assert datetime.fromisoformat(rows[0]["last_inspected_at"]) == found.at.replace(second=0, microsecond=0)
    assert (rows[0]["manufacturer"], rows[0]["model"], rows[0]["location"]) == ("Maker", "PX-300", "Counter 11")
    assert pdf.content.startswith(b"%PDF-")
    assert AuditEntry.objects.filter(action="exported", subject_type="inspections.inspection").count() == 2


def test_the_pdf_has_a_row_for_each_device_and_says_what_it_leaves_out(operator, placed, start, inspect, monkeypatch):
    texts: list[Any] = []
    monkeypatch.setattr(document, "MAX_ROWS", 1)
    monkeypatch.setattr(document, "typeset", lambda _template, data: texts.append(data) or b"%PDF-")
    one = placed(uid="A-1", label="Counter 11")
    placed("PX-9", uid="A-2")
    started = start()
    inspect(started, one)

    operator.get(f"/inspections/pdf/?round={started.pk}")

    [data] = texts
    [[serial, made, place, uid, _at, _by, result]] = data["rows"]
    assert (serial, made, place, uid, result) == (
        "PX300-004388",
        "Maker PX-300",
        "Site SJK · Counter 11",
        "A-1",
        "In order",
    )
    assert data["more"] == "1 more is in the CSV."


# Rights


def test_people_see_and_inspect_only_the_devices_of_their_scope(fleet, placed, start):
    here, there = fleet.site("UMD"), fleet.site("SJK")
    mine, other = placed("A-1111", uid="A-1", site=here), placed("A-2222", uid="B-1", site=there)
    started = start()
    person = people.person("kondo", of=None)
    people.grant(person, "Operator", site=here)
    people.grant(person, "Viewer", site=fleet.site("NMB"))
    seen = placed("A-3333", uid="C-1", site=fleet.site("NMB"))
    wide = start(name="Wide")
    browser = people.signed_in(person)

    listed = page(browser, f"/inspections/?round={wide.pk}").html
    exported = text_of(browser.get("/inspections/export/"))
    statuses = [
        browser.post(f"/inspections/{wide.pk}/{uid}/", sent(seen_serial="1111")).status_code
        for uid in (mine.uid, other.uid, seen.uid)
    ]

    assert ("A-1" in listed, "B-1" in listed, "C-1" in listed) == (True, False, True)
    assert ("A-1" in exported, "B-1" in exported) == (True, False)
    assert statuses == [302, 404, 403]
    assert browser.get("/inspections/rounds/new/").status_code == 403
    assert browser.get(f"/inspections/rounds/{started.pk}/close/").status_code == 403


def test_a_lead_of_a_site_starts_rounds_there_only(fleet, placed):
    here, there = fleet.site("UMD"), fleet.site("SJK")
    placed("A-1", site=here)
    placed("A-2", site=there)
    person = people.person("lead", of=None)
    people.grant(person, "Lead", site=here)
    browser = people.signed_in(person)
    values = {"name": "Q4", "due_on": "2099-12-31", "every_days": 90}

    refused = browser.post("/inspections/rounds/new/", values | {"where": f"site:{there.pk}"})
    browser.post("/inspections/rounds/new/", values | {"where": f"site:{here.pk}"})

    assert refused.status_code == 422
    assert Round.objects.get().owner_site == here


# REST


def test_another_system_reads_rounds_and_records_an_inspection(placed, start):
    one = placed()
    started = start()
    api = ApiClient.of(people.person("rei", of="Operator"))
    body = {
        "terminal": one.uid,
        "result": "in_order",
        "seen_serial": "4388",
        "seals": [{"number": "A-1", "where": "back", "intact": True}],
        "surroundings": ["no_extra_parts", "cables", "no_unknown_device"],
    }

    refused = api.post(f"/inspection-rounds/{started.pk}/inspections", body | {"seen_serial": "1"})
    made = api.post(f"/inspection-rounds/{started.pk}/inspections", body)
    twice = api.post(f"/inspection-rounds/{started.pk}/inspections", body)
    rounds = api.get("/inspection-rounds").json()["items"]
    listed = api.get(f"/inspections?terminal={one.uid}").json()["items"]

    assert problem_of(refused) == (422, "tms:bad-request")
    assert made.status_code == 201
    assert problem_of(twice) == (409, "tms:already-inspected")
    assert (rounds[0]["total"], rounds[0]["inspected"]) == (1, 1)
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert api.get(f"/inspections/{made.json()['id']}").json()["seals"] == body["seals"]
