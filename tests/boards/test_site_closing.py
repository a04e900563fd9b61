"""Closing a site for good, and reopening it."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.support import factories, people
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.shift import open_boards
from tms.accounts.models import AuditEntry
from tms.alerts.models import Alert
from tms.approvals.models import ApprovalRequest
from tms.boards.overview import on_shift
from tms.commands.models import Command, CommandState
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Device, DeviceState, Region, Site, Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]

CLOSE, REOPEN = "/sites/UMD/close/", "/sites/UMD/reopen/"
TYPED = {"device_becomes": "in_repair", "typed": "umd", "comment": "lease ended"}


@pytest.fixture
def lead(db) -> Client:
    client = Client()
    client.force_login(people.person("lead", of="Manager"))
    return client


@pytest.fixture
def umeda(fleet) -> Site:
    site = fleet.site("UMD", name="Umeda")
    terminal = fleet.online(site=site, uid="UMD-1", serial="S-1")
    fleet.online(site=site, uid="UMD-2")
    factories.alert(fleet, terminal=terminal)
    fleet.command(terminal)
    Device.objects.create(serial="SPARE-1", site=site)
    return site


def test_the_preview_counts_what_ends(lead, umeda):
    text = lead.get(CLOSE).content.decode()

    for expected in (
        "2 terminals are retired",
        "1 unresolved alert is resolved",
        "1 waiting command expires",
        "You can reopen the site with its terminals for 30 days, and later without them",
    ):
        assert expected in " ".join(text.split())
    assert umeda.closed_at is None


def test_a_site_is_closed_when_its_code_was_typed(lead, umeda):
    answer = lead.post(CLOSE, TYPED)

    assert (answer.status_code, answer["Location"]) == (302, "/sites/UMD/")
    umeda.refresh_from_db()
    assert umeda.closed_at is not None
    assert set(Terminal.objects.values_list("lifecycle", flat=True)) == {Lifecycle.RETIRED}
    assert Alert.objects.unresolved().count() == 0
    assert Command.objects.get().state == CommandState.EXPIRED
    assert Device.objects.get(serial="SPARE-1").state == DeviceState.SPARE
    assert AuditEntry.objects.get(action="closed").comment == "lease ended"


@pytest.mark.parametrize("changed", [{"typed": ""}, {"typed": "SJK"}, {"device_becomes": "in_service"}])
def test_a_site_stays_open_without_the_right_confirmation(lead, umeda, changed):
    answer = lead.post(CLOSE, TYPED | changed)

    assert answer.status_code == 422
    assert HtmlPage(answer).text(f"id_{next(iter(changed))}_error")
    umeda.refresh_from_db()
    assert umeda.closed_at is None


def test_a_reopened_site_has_its_terminals_again(lead, umeda):
    lead.post(CLOSE, TYPED)

    asked = " ".join(lead.get(REOPEN).content.decode().split())
    answer = lead.post(REOPEN, {"comment": "lease renewed"})

    assert "2 terminals were retired with the site" in asked
    assert answer.status_code == 302
    umeda.refresh_from_db()
    assert umeda.closed_at is None
    assert set(Terminal.objects.values_list("lifecycle", flat=True)) == {Lifecycle.IN_SERVICE}


def test_after_thirty_days_a_site_is_reopened_without_its_terminals(lead, umeda):
    lead.post(CLOSE, TYPED)
    long_ago = now() - timedelta(days=31)
    Site.objects.filter(pk=umeda.pk).update(closed_at=long_ago)
    Terminal.objects.update(lifecycle_at=long_ago)

    asked = lead.get(REOPEN).content.decode()
    answer = lead.post(REOPEN)

    assert "Its terminals stay retired" in asked
    assert answer.status_code == 302
    assert Site.objects.get(pk=umeda.pk).closed_at is None
    assert set(Terminal.objects.values_list("lifecycle", flat=True)) == {Lifecycle.RETIRED}


def test_closing_twice_or_reopening_an_open_site_changes_nothing(lead, umeda):
    assert lead.post(REOPEN).status_code == 302
    lead.post(CLOSE, TYPED)
    assert lead.post(CLOSE, TYPED).status_code == 302
    assert AuditEntry.objects.filter(action="closed").count() == 1
    assert not AuditEntry.objects.filter(action="reopened").exists()


# A second person


@pytest.fixture
def colleague(empty_shift) -> Client:
    """A lead with a board open."""
    made = people.person("colleague", of="Manager")
    open_boards(made)
    return people.signed_in(made)


@pytest.fixture
def empty_shift() -> None:
    on_shift.report({}, range(1, 1_000))


def test_closing_a_site_with_its_last_lane_waits_for_a_second_person(lead, umeda, colleague):
    asked = lead.get(CLOSE).content.decode()
    answer = lead.post(CLOSE, TYPED)

    request = ApprovalRequest.objects.get()
    assert "Ask for approval" in asked
    assert answer["Location"] == f"/approvals/{request.pk}/"
    assert Site.objects.get(code="UMD").closed_at is None

    colleague.post(f"/approvals/{request.pk}/", {"decision": "approve"})

    assert Site.objects.get(code="UMD").closed_at is not None
    assert set(Device.objects.exclude(serial="SPARE-1").values_list("state", flat=True)) == {DeviceState.IN_REPAIR}
    entry = AuditEntry.objects.get(action="closed")
    assert (entry.actor_name, entry.changes["approved_by"]) == ("lead", [None, "colleague"])


def test_a_site_with_terminals_that_nobody_approved_stays_open(lead, umeda, fleet, colleague):
    lead.post(CLOSE, TYPED)
    request = ApprovalRequest.objects.get()
    fleet.terminal(site=umeda, uid="UMD-3")

    answer = colleague.post(f"/approvals/{request.pk}/", {"decision": "approve"})

    assert answer.status_code == 409
    assert "The site has other terminals now" in answer.content.decode()
    assert Site.objects.get(code="UMD").closed_at is None


def test_alone_the_code_is_enough_and_the_audit_trail_says_so(lead, umeda, empty_shift):
    assert "Nobody on shift could approve this" in lead.get(CLOSE).content.decode()

    lead.post(CLOSE, TYPED)

    assert Site.objects.get(code="UMD").closed_at is not None
    assert AuditEntry.objects.filter(action="acted-alone").count() == 1


def test_an_approver_needs_the_permission_for_the_site(lead, umeda, empty_shift):
    Region.objects.create(name="Kanto")
    other = people.person("other", of=None)
    people.grant(other, "Lead", region="Kanto")
    open_boards(other)

    assert "Nobody on shift could approve this" in lead.get(CLOSE).content.decode()
