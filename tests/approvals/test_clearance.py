"""The service that carries an act out asks for the second person, whatever called it."""

import pytest

from tests.support.factories import now
from tests.support.people import person
from tests.support.rest import ApiClient, problem_of
from tests.support.shift import open_boards
from tms.approvals import services
from tms.approvals.acts import Act
from tms.approvals.clearance import NotAgreed, agreed, has_outgrown
from tms.approvals.gate import Proposal, Way, propose
from tms.approvals.kinds import CannotPerform
from tms.approvals.models import ApprovalRequest
from tms.fleet.models import DeviceState, Terminal
from tms.fleet.sites.services import close_site
from tms.fleet.terminals.lifecycle_changes import retire
from tms.fleet.terminals.retirement import MovePayload
from tms.fleet.terminals.services import move_terminals

pytestmark = pytest.mark.both


@pytest.fixture
def lead(db):
    return person("lead", of="Manager")


@pytest.fixture
def second(db, empty_shift):
    made = person("second", of="Manager")
    open_boards(made)
    return made


@pytest.fixture
def three(fleet) -> tuple[int, ...]:
    return tuple(terminal.pk for terminal in fleet.terminals(3))


def moving(three, fleet, by) -> Proposal:
    return propose(Act.MOVE, MovePayload(three, fleet.site("UMD").pk), by=by, at=now())


def at_umeda() -> int:
    return Terminal.objects.filter(site__code="UMD").count()


def test_a_caller_that_asked_nobody_changes_nothing(three, fleet, lead):
    """Two are below the threshold; what TMS does itself is no act of a person."""
    to = fleet.site("UMD")

    with pytest.raises(NotAgreed):
        move_terminals(three, to=to, by=lead, at=now())
    with pytest.raises(NotAgreed):
        retire(three, device_becomes=DeviceState.SPARE, by=lead, at=now())
    with pytest.raises(NotAgreed):
        close_site(fleet.site(), device_becomes=DeviceState.SPARE, by=lead, at=now())

    assert not Terminal.objects.filter(lifecycle="retired").exists()
    assert move_terminals(three[:2], to=to, by=lead, at=now()) == 2
    assert move_terminals(three, to=fleet.site("KIX"), by=None, at=now()) == 3


def test_an_agreement_covers_a_part_and_nothing_else(three, fleet, lead):
    to, other = fleet.site("UMD"), fleet.site("KIX")
    more = [terminal.pk for terminal in fleet.terminals(3)]

    with agreed(Act.MOVE, terminals=three, site=to.pk):
        assert move_terminals(three, to=to, by=lead, at=now()) == 3
        for terminals, site in ((three, other), (more, to)):
            with pytest.raises(NotAgreed):
                move_terminals(terminals, to=site, by=lead, at=now())


def test_what_must_be_approved_is_not_done_alone(three, fleet, lead, second):
    proposal = moving(three, fleet, lead)
    assert proposal.way is Way.APPROVAL

    with pytest.raises(NotAgreed), services.alone(proposal, reason="", by=lead):
        move_terminals(three, to=fleet.site("UMD"), by=lead, at=now())
    assert at_umeda() == 0


def test_terminals_that_two_people_agree_to_move_move(three, fleet, lead, second):
    request = services.ask(moving(three, fleet, lead), reason="", by=lead, at=now())

    services.approve(request, by=second, comment="", at=now())

    assert at_umeda() == 3
    assert request.summary == "Move 3 terminals to Site UMD"


def test_nothing_moves_to_a_site_that_was_closed_meanwhile(three, fleet, lead, second):
    request = services.ask(moving(three, fleet, lead), reason="", by=lead, at=now())
    close_site(fleet.site("UMD"), device_becomes=DeviceState.SPARE, by=None, at=now())

    with pytest.raises(CannotPerform):
        services.approve(request, by=second, comment="", at=now())
    assert at_umeda() == 0


def test_a_service_account_on_shift_decides_nothing(three, fleet, lead):
    account = person("machine", of="Manager", is_service=True)
    open_boards(account)

    proposal = moving(three, fleet, lead)
    request = services.ask(proposal, reason="", by=lead, at=now())

    assert (proposal.way, services.may_decide(request, account)) == (Way.TYPED, False)


@pytest.mark.parametrize(("confirm", "status"), [(None, 409), ("2", 409), ("3", 200)])
def test_over_rest_a_move_of_many_is_confirmed_without_a_second_person(three, fleet, lead, confirm, status):
    fleet.site("UMD")
    uids = list(Terminal.objects.values_list("uid", flat=True))

    answer = ApiClient.of(lead).post("/sites/UMD/terminals", {"terminals": uids, "confirm": confirm})

    assert (answer.status_code, at_umeda()) == (status, 3 if status == 200 else 0)


def test_over_rest_a_move_of_many_waits_for_the_second_person(three, fleet, lead, second):
    fleet.site("UMD")
    uids = list(Terminal.objects.values_list("uid", flat=True))

    answer = ApiClient.of(lead).post("/sites/UMD/terminals", {"terminals": uids, "comment": "rebuilt"})

    assert problem_of(answer) == (409, "tms:approval-needed")
    assert (ApprovalRequest.objects.get().reason, at_umeda()) == ("rebuilt", 0)


OUTGROWN = {(2, 0): False, (3, 0): True, (3, 2): True, (4, 3): False, (5, 3): True, (6, 4): False}


@pytest.mark.parametrize(("number", "agreed_to"), OUTGROWN)
def test_an_agreement_covers_half_as_many_again(number, agreed_to):
    assert has_outgrown(number, agreed_to) is OUTGROWN[number, agreed_to]
