"""Single-use tokens."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, later
from tests.support.credentials import find_key
from tests.support.threads import run_concurrently
from tms.fleet.devices import placements
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.enrolment.tokens import NewDevice, TokenLimits, TokenRefused, redeem
from tms.fleet.models import DeviceState, EnrolmentToken, Site, Terminal, TerminalKind
from tms.fleet.sites.services import close_site
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals.services import TerminalValues, create_terminal
from tms.lib.hashing import hash_token
from tms.protocol import credential

pytestmark = pytest.mark.both

DEVICE = NewDevice(TerminalKind.GATE, "S-1", "KX-20")


@pytest.fixture
def site(fleet) -> Site:
    return fleet.site("SJK")


@pytest.fixture
def token(fleet, site) -> str:
    return enrolment.make_token(TokenLimits(site), by=fleet.person(), at=AT)


def test_a_token_enrols_one_terminal_at_its_site(site, token):
    terminal, offered = redeem(token, DEVICE, at=later(60))

    assert (terminal.uid, terminal.site, terminal.kind, terminal.serial) == ("SJK-GTE-01", site, "gate", "S-1")
    assert find_key(offered, at=AT)
    used = EnrolmentToken.objects.get()
    assert (used.used_at, used.terminal) == (later(60), terminal)


def test_a_token_works_once(token):
    redeem(token, DEVICE, at=AT)

    with pytest.raises(TokenRefused):
        redeem(token, DEVICE, at=AT)

    assert Terminal.objects.count() == 1


@pytest.mark.parametrize("wrong", ["", "no such token", "ünïcödé"])
def test_an_unknown_token_is_refused(token, wrong):
    with pytest.raises(TokenRefused):
        redeem(wrong, DEVICE, at=AT)


@pytest.mark.parametrize(("asked_h", "valid_h"), [(1, 1), (24, 24), (25, 24), (10_000, 24)])
def test_a_token_is_valid_for_a_day_at_most(site, asked_h, valid_h):
    tokens = [enrolment.make_token(TokenLimits(site), by=None, at=AT, valid=timedelta(hours=asked_h)) for _ in range(2)]

    redeem(tokens[0], DEVICE, at=later(valid_h * 3600 - 1))
    with pytest.raises(TokenRefused):
        redeem(tokens[1], DEVICE, at=later(valid_h * 3600))


def test_the_database_does_not_contain_the_token(token):
    stored = EnrolmentToken.objects.get()

    assert stored.digest == hash_token(token)
    assert token not in str(stored)


def test_uids_are_numbered_by_site_and_kind_and_gaps_stay(fleet, site):
    fleet.terminal(uid="SJK-GTE-02", site=site)
    tokens = [enrolment.make_token(TokenLimits(site), by=None, at=AT) for _ in range(3)]
    kinds = (TerminalKind.GATE, TerminalKind.GATE, TerminalKind.PAYMENT)

    uids = [redeem(token, NewDevice(kind), at=AT)[0].uid for token, kind in zip(tokens, kinds, strict=True)]

    assert uids == ["SJK-GTE-03", "SJK-GTE-04", "SJK-PAY-01"]


def test_an_existing_number_is_skipped(fleet, site, token):
    for number in (1, 3, 4):
        fleet.terminal(uid=f"SJK-GTE-{number + 1:02}", site=site)

    assert redeem(token, DEVICE, at=AT)[0].uid == "SJK-GTE-06"


@pytest.mark.parametrize("code", ["-x", "_x", "--"])
def test_every_site_gives_uids_that_are_valid_in_a_credential(fleet, code):
    token = enrolment.make_token(TokenLimits(fleet.site(code)), by=None, at=AT)

    _, offered = redeem(token, DEVICE, at=AT)

    assert credential.parse(str(offered)) == offered


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_twenty_concurrent_uses_of_one_token_exactly_one_succeeds(token):
    results = run_concurrently(20, lambda n: redeem(token, NewDevice("gate", f"S-{n}"), at=AT))

    enrolled = [result for result in results if not isinstance(result, Exception)]
    assert len(enrolled) == 1
    assert sum(isinstance(result, TokenRefused) for result in results) == 19
    assert Terminal.objects.get() == enrolled[0][0]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_uses_of_many_tokens_of_one_site_create_as_many_terminals(site):
    tokens = [enrolment.make_token(TokenLimits(site), by=None, at=AT) for _ in range(10)]

    results = run_concurrently(10, lambda n: redeem(tokens[n], NewDevice("gate", f"S-{n}"), at=AT)[0].uid)

    assert sorted(map(str, results)) == [f"SJK-GTE-{number:02}" for number in range(1, 11)]


def test_the_token_of_a_terminal_that_was_retired_is_refused(fleet, site):
    terminal = create_terminal("A-1", TerminalValues(site, TerminalKind.GATE), at=AT)
    token = enrolment.make_token(TokenLimits(terminal=terminal), by=None, at=AT)
    lifecycle_changes.retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=AT)

    with pytest.raises(TokenRefused):
        redeem(token, DEVICE, at=AT)

    assert EnrolmentToken.objects.get().used_at is None


def test_the_token_of_a_site_that_was_closed_for_good_is_refused(site, token):
    close_site(site, device_becomes=DeviceState.SPARE, by=None, at=AT)

    with pytest.raises(TokenRefused):
        redeem(token, DEVICE, at=AT)


def test_a_serial_number_that_the_token_does_not_name_leads_to_no_planned_terminal(site):
    planned = create_terminal("A-1", TerminalValues(site, TerminalKind.GATE), at=AT)
    placements.place(placements.known_device("S-1"), planned, by=None, at=AT)
    named, any_device = (
        enrolment.make_token(TokenLimits(site, uses=2, serials=serials), by=None, at=AT) for serials in (["S-1"], [])
    )

    with pytest.raises(TokenRefused):
        redeem(any_device, DEVICE, at=AT)
    terminal, _ = redeem(named, DEVICE, at=AT)

    assert terminal == planned
