"""New keys for all terminals of a site."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.utils import timezone

from tests.support.credentials import find_key
from tests.support.people import grant, person, signed_in
from tms.accounts.models import AuditEntry
from tms.fleet.credentials import services
from tms.fleet.models import Credential
from tms.protocol import credential

pytestmark = pytest.mark.both
DAY_S = "86400"


@pytest.fixture
def site(fleet):
    return fleet.site("SJK")


@pytest.fixture
def lead(site):
    lead = person("lead")
    grant(lead, "Lead", site=site)
    return lead


def test_each_terminal_gets_a_key_and_the_ones_before_end_later(fleet, site, lead):
    terminals = [fleet.terminal(site=site, uid=uid) for uid in ("A-1", "A-2")]
    before = services.issue(terminals[0])
    other = services.issue(fleet.terminal(site=fleet.site("OSK"), uid="B-1"))

    answer = signed_in(lead).post("/sites/SJK/keys/", {"overlap": DAY_S})

    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert [row["uid"] for row in rows] == ["A-1", "A-2"]
    assert "no-store" in answer["Cache-Control"]
    soon, later = (timezone.now() + timedelta(hours=hours) for hours in (23, 25))
    assert all(find_key(credential.parse(row["credential"]), at=later) for row in rows)
    assert find_key(before, at=soon)
    assert not find_key(before, at=later)
    assert find_key(other, at=later)
    assert AuditEntry.objects.get(action="keys-rotated").changes["terminals"] == [None, 2]


def test_a_terminal_without_a_valid_key_gets_none(fleet, site, lead):
    terminal = fleet.terminal(site=site)
    services.revoke(Credential.objects.filter(terminal=terminal), at=timezone.now())

    page = signed_in(lead).get("/sites/SJK/keys/")

    assert "No terminal of this site has a key" in page.content.decode()


def test_the_question_says_what_follows(fleet, site, lead):
    fleet.terminal(site=site)

    page = signed_in(lead).get("/sites/SJK/keys/").content.decode()

    assert "1 terminal gets a new key" in page
    assert "cannot connect from then on" in page


@pytest.mark.parametrize("overlap", ["", "1", "never"])
def test_only_offered_overlaps_are_accepted(fleet, site, lead, overlap):
    fleet.terminal(site=site)

    answer = signed_in(lead).post("/sites/SJK/keys/", {"overlap": overlap})

    assert answer.status_code == 422
    assert Credential.objects.count() == 1


def test_the_keys_of_another_site_are_not_rotated(fleet, lead):
    fleet.terminal(site=fleet.site("OSK"))

    answer = signed_in(lead).post("/sites/OSK/keys/", {"overlap": DAY_S})

    assert answer.status_code == 403
    assert Credential.objects.count() == 1


def test_an_old_session_is_asked_again(fleet, client, lead, site):
    fleet.terminal(site=site)
    client.force_login(lead)

    answer = client.post("/sites/SJK/keys/", {"overlap": DAY_S})

    assert answer.status_code == 302
    assert Credential.objects.count() == 1
