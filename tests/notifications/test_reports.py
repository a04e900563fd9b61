"""Availability reports, by mail after each month."""

from datetime import date
from email import message_from_bytes

import pytest
from django.core import mail

from tests.support import people
from tests.support.alerts.availability import DAY, away, open_daily, roll_up_until, serving, tokyo
from tms.availability.report.months import Month
from tms.notifications.messages.content import message_of
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.report_plan import ReportPlan
from tms.notifications.planned.reports import services
from tms.notifications.transports import email

pytestmark = pytest.mark.both
OCTOBER = Month(2026, 10)


@pytest.fixture
def customer(db):
    return Destination.objects.create(kind="email", name="Customer", address="it@example.com", language="ja")


@pytest.fixture
def month(fleet):
    terminal = serving(
        fleet, open_daily(fleet.site("LSY", name="Lossy", name_ja="新宿南口", region="Kanto")), uid="L-1"
    )
    other = serving(fleet, open_daily(fleet.site("OTH", name="Other", region="Kansai")), uid="O-1")
    for each in (terminal, other):
        away(each, tokyo("10:00", DAY), tokyo("16:00", DAY))
    roll_up_until(date(2026, 10, 31))


def test_a_plan_sends_the_month_that_is_over_once(fleet, month, customer):
    services.plan(customer, customer="関西リテール", by=fleet.person(), at=tokyo("12:00", date(2026, 10, 20)))

    assert services.send_due(tokyo("08:59", date(2026, 11, 2))) == 0
    assert services.send_due(tokyo("09:00", date(2026, 11, 2))) == 1
    assert services.send_due(tokyo("09:01", date(2026, 11, 2))) == 0

    sent = Delivery.objects.get()
    assert sent.content["title"] == "関西リテール：稼働率（2026年10月）"
    assert "通信事業者：12時間 (100%)" in sent.content["lines"]
    assert ReportPlan.objects.get().next_at == tokyo("09:00", date(2026, 12, 2))


def test_after_a_long_pause_the_last_month_is_sent_only(fleet, month, customer):
    services.plan(customer, customer="", by=fleet.person(), at=tokyo("12:00", date(2026, 8, 20)))

    assert services.send_due(tokyo("12:00", date(2026, 11, 20))) == 1

    assert [each.key for each in Delivery.objects.all()] == [f"availability-{customer.pk}-2026-10"]


def test_a_report_of_the_running_month_does_not_replace_the_planned_one(fleet, month, customer):
    operator = people.person("op", of="Operator")
    first, again, day_after = (
        tokyo("12:00", date(2026, 10, 20)),
        tokyo("12:01", date(2026, 10, 20)),
        tokyo("12:00", date(2026, 11, 1)),
    )
    services.plan(customer, customer="", by=operator, at=first)
    for at in (first, again, day_after):
        services.send(customer, OCTOBER, customer="", to=operator, at=at)

    assert services.send_due(tokyo("09:00", date(2026, 11, 2))) == 1

    sent = [each.created_at for each in Delivery.objects.order_by("pk")]
    assert sent == [first, day_after, tokyo("09:00", date(2026, 11, 2))]


def test_the_mail_has_the_pdf_attached(month, customer, settings):
    settings.EMAIL_URL = "smtp://localhost"
    sent = services.send(customer, OCTOBER, customer="A", to=None, at=tokyo("09:00", date(2026, 11, 2)))

    made = message_from_bytes(email._mail(["it@example.com"], message_of(sent)).message().as_bytes())

    parts = {part.get_content_type(): part for part in made.walk()}
    assert parts["application/pdf"].get_filename() == "tms-availability-2026-10.pdf"
    assert parts["application/pdf"].get_payload(decode=True).startswith(b"%PDF-")
    assert mail.outbox == []


def test_a_report_has_only_what_the_owner_of_the_destination_covers(month, customer):
    customer.owner_region = "Kansai"
    customer.save()

    sent = services.send(customer, OCTOBER, customer="", to=None, at=tokyo("09:00", date(2026, 11, 2)))

    assert sent.content["facts"]["availability"]["lost_s"] == 6 * 3_600
    assert "新宿南口" not in str(sent.content["lines"])


def test_a_person_sends_a_report_from_the_page_once(month, customer):
    operator = people.signed_in(people.person("op", of="Operator", first_name="O", last_name="P"))

    for _ in range(2):
        answer = operator.post("/availability/mail/?month=2026-10", {"destination": customer.pk, "customer": "A"})
        assert answer.status_code == 302

    assert Delivery.objects.count() == 1
    assert "A：稼働率（2026年10月）" in operator.get("/availability/mail/").content.decode()


def test_a_manager_schedules_and_deletes(month, customer):
    manager = people.signed_in(people.person("manager", of="Manager", first_name="M", last_name="M"))

    manager.post("/availability/mail/plans/", {"destination": customer.pk, "customer": "B"})
    planned = ReportPlan.objects.get()
    manager.post(f"/availability/mail/plans/{planned.pk}/delete/")

    assert planned.customer == "B"
    assert not ReportPlan.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/availability/mail/", "/digest/send/"])
def test_without_a_destination_the_page_leads_to_a_new_one(address):
    manager = people.signed_in(people.person("manager", of="Manager"))

    seen = manager.get(address).content.decode()

    assert seen.count("No destination is enabled.") == 2
    assert "/destinations/new/" in seen
