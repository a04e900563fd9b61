"""The life of a request for approval."""

import pytest
from django.db import IntegrityError

from tests.support import factories
from tests.support.factories import now
from tests.support.people import grant, person
from tests.support.shift import open_boards
from tests.support.threads import run_concurrently
from tms.accounts.models import AuditEntry, User
from tms.alerts.actions.approvals import propose_many
from tms.alerts.models import Alert, Rule
from tms.approvals import services
from tms.approvals.gate import Way
from tms.approvals.models import ApprovalRequest, ApprovalState
from tms.approvals.services import MayNotDecide, NotWaiting, RequesterMayNot

pytestmark = pytest.mark.both


@pytest.fixture
def three(fleet) -> list[Alert]:
    made = [factories.alert(fleet) for _ in range(3)]
    Rule.objects.update(may_be_resolved_by_hand=True)
    return made


def proposed(by, *, at=None, alerts=None, action="resolve", **terms):
    return propose_many(
        action, alerts or Alert.objects.unresolved(), {"comment": "tested", **terms}, by=by, at=at or now()
    )


def asked(by, *, at=None, **options) -> ApprovalRequest:
    return services.ask(proposed(by, at=at, **options), reason="tested", by=by, at=at or now())


def open_alerts() -> int:
    return Alert.objects.unresolved().count()


def test_an_action_above_the_threshold_needs_a_second_person(three, tanaka, yamada):
    assert proposed(tanaka).way is Way.APPROVAL
    assert proposed(tanaka, alerts=Alert.objects.filter(pk__in=[three[0].pk, three[1].pk])).way is Way.AT_ONCE


def test_a_threshold_of_zero_turns_approvals_off(three, tanaka, yamada, settings):
    settings.APPROVAL_ALERTS = 0

    assert proposed(tanaka).way is Way.AT_ONCE


def test_without_anyone_on_shift_who_could_approve_it_is_confirmed_by_typing(three, tanaka):
    person("away", of="Operator")
    viewer = person("viewer", of="Viewer")
    open_boards(viewer, tanaka)

    assert proposed(tanaka).way is Way.TYPED
    assert proposed(tanaka).word == "3"


def test_an_approved_action_is_done_for_its_requester_and_names_both(three, tanaka, yamada):
    request = asked(tanaka)

    services.approve(request, by=yamada, comment="go ahead", at=now())

    alert = Alert.objects.get(pk=three[0].pk)
    assert (open_alerts(), alert.transitions.last().by, alert.comment) == (0, tanaka, "tested")
    request.refresh_from_db()
    assert (request.state, request.decided_by, request.comment, request.changed) == ("approved", yamada, "go ahead", 3)
    entry = AuditEntry.objects.get(action="approved")
    assert (entry.actor, entry.changes["approved_by"]) == (tanaka, [None, "yamada"])


def test_approval_leaves_out_what_changed_meanwhile_and_adds_nothing(three, fleet, tanaka, yamada):
    request = asked(tanaka)
    factories.resolved(three[0])
    later = factories.alert(fleet)

    services.approve(request, by=yamada, comment="", at=now())

    assert request.changed == 2
    assert Alert.objects.unresolved().get() == later


def test_a_requester_does_not_approve_the_own_request(three, tanaka, yamada):
    request = asked(tanaka)
    open_boards(tanaka)

    with pytest.raises(MayNotDecide):
        services.approve(request, by=tanaka, comment="", at=now())

    assert open_alerts() == 3


ACCOUNTS_OF_TANAKA = [
    {"email": "Tanaka@noc.example"},
    {"email": "\uff54anaka@noc.example"},
    {"username": "tanaka@noc.example"},
]


@pytest.mark.parametrize("account", ACCOUNTS_OF_TANAKA)
def test_a_second_account_of_the_requester_is_no_second_person(three, tanaka, yamada, account):
    for account_of, values in ((tanaka, {"email": "tanaka@noc.example"}), (yamada, account)):
        User.objects.filter(pk=account_of.pk).update(**values)
        account_of.refresh_from_db()
    before = proposed(tanaka).approvers
    request = asked(tanaka)

    for decide in (services.approve, services.reject):
        with pytest.raises(services.MayNotDecide):
            decide(request, by=yamada, comment="", at=now())

    assert before == 0
    assert open_alerts() == len(three)


def test_the_database_refuses_ones_own_approval(three, tanaka, yamada):
    request = asked(tanaka)

    with pytest.raises(IntegrityError):
        ApprovalRequest.objects.filter(pk=request.pk).update(state=ApprovalState.APPROVED, decided_by=tanaka)


@pytest.mark.parametrize("of", ["Viewer", "Operator"])
def test_only_a_person_on_shift_with_the_permission_approves(three, tanaka, yamada, of):
    """A viewer with a board open, and an operator without one."""
    request, other = asked(tanaka), person("other", of=of)
    if of == "Viewer":
        open_boards(other)

    for decide in (services.approve, services.reject):
        with pytest.raises(MayNotDecide):
            decide(request, by=other, comment="", at=now())

    assert ApprovalRequest.objects.get().is_waiting


def test_a_requester_who_lost_the_permission_gets_nothing_done(three, tanaka, yamada):
    request = asked(tanaka)
    tanaka.is_active = False
    tanaka.save()

    with pytest.raises(RequesterMayNot):
        services.approve(request, by=yamada, comment="", at=now())

    assert (open_alerts(), ApprovalRequest.objects.get().is_waiting) == (3, True)
    assert not AuditEntry.objects.filter(action="approved").exists()


def test_a_rejected_request_does_nothing_and_stays_rejected(three, tanaka, yamada):
    request = asked(tanaka)

    services.reject(request, by=yamada, comment="not tonight", at=now())

    with pytest.raises(NotWaiting):
        services.approve(request, by=yamada, comment="", at=now())
    assert (open_alerts(), ApprovalRequest.objects.get().comment) == (3, "not tonight")
    assert proposed(tanaka).way is Way.APPROVAL


def test_only_the_requester_withdraws(three, tanaka, yamada):
    request = asked(tanaka)

    with pytest.raises(MayNotDecide):
        services.withdraw(request, by=yamada, at=now())
    services.withdraw(request, by=tanaka, at=now())

    with pytest.raises(NotWaiting):
        services.approve(request, by=yamada, comment="", at=now())


def test_a_request_expires_and_may_then_be_confirmed_alone(three, tanaka, yamada, settings):
    settings.APPROVAL_EXPIRES_S = 60
    request = asked(tanaka, at=now(-61))

    with pytest.raises(NotWaiting):
        services.approve(request, by=yamada, comment="", at=now())
    services.expire(now())

    request.refresh_from_db()
    assert request.state == ApprovalState.EXPIRED
    assert proposed(tanaka).way is Way.TYPED
    assert proposed(tanaka, action="snooze").way is Way.APPROVAL
    assert proposed(yamada).way is Way.TYPED  # nobody else is on shift
    assert proposed(tanaka, at=now(15 * 60)).way is Way.APPROVAL


def test_more_than_the_unanswered_request_needs_approval_again(three, fleet, tanaka, yamada, settings):
    settings.APPROVAL_EXPIRES_S = 60
    asked(tanaka, at=now(-61))
    services.expire(now())
    factories.alert(fleet)
    Rule.objects.update(may_be_resolved_by_hand=True)

    assert proposed(tanaka).way is Way.APPROVAL


@pytest.mark.parametrize(("length_s", "way"), [(300, Way.TYPED), (4 * 3600, Way.TYPED), (5 * 3600, Way.APPROVAL)])
def test_a_snooze_alone_lasts_no_longer_than_the_unanswered_request(three, tanaka, yamada, settings, length_s, way):
    settings.APPROVAL_EXPIRES_S = 600
    asked(tanaka, at=now(-601), action="snooze", until=now(4 * 3600 - 601))
    services.expire(now())

    assert proposed(tanaka, action="snooze", until=now(length_s)).way is way


def test_a_repeated_request_is_the_same(three, tanaka, yamada):
    assert asked(tanaka) == asked(tanaka)
    assert ApprovalRequest.objects.count() == 1


def test_an_action_alone_is_in_the_audit_trail(three, tanaka):
    with services.alone(proposed(tanaka), reason="storm", by=tanaka):
        pass

    entry = AuditEntry.objects.get(action="acted-alone")
    assert entry.changes["why"] == [None, "nobody on shift could approve it"]
    assert entry.changes["action"] == [None, "Resolve: 3 alerts"]


@pytest.mark.django_db(transaction=True)
def test_of_many_concurrent_approvals_one_wins(three, tanaka, yamada):
    people = [person(f"lead-{n}", of="Operator") for n in range(4)]
    open_boards(*people)
    pk = asked(tanaka).pk

    def decide(n: int) -> bool:
        services.approve(ApprovalRequest.objects.get(pk=pk), by=people[n], comment="", at=now())
        return True

    results = run_concurrently(len(people), decide)

    assert results.count(True) == 1
    assert [type(error) for error in results if error is not True] == [NotWaiting] * 3
    assert [alert.transitions.filter(kind="resolved").count() for alert in three] == [1, 1, 1]


def test_states_do_not_change_their_spelling():
    """They are stored, and in the API."""
    assert ApprovalState.values == ["waiting", "approved", "rejected", "withdrawn", "expired"]


def test_the_second_person_needs_the_permission_for_everything_that_it_concerns(fleet, tanaka):
    """An operator of one site, asked about alerts of two."""
    Rule.objects.update(may_be_resolved_by_hand=True)
    made = [factories.alert(fleet, site=fleet.site(code)) for code in ("SJK", "SJK", "SJK", "UMD")]
    Rule.objects.update(may_be_resolved_by_hand=True)
    local = person("local", of=None)
    grant(local, "Operator", site=fleet.site("SJK"))
    open_boards(local)

    everything = proposed(tanaka)
    of_site = proposed(tanaka, alerts=Alert.objects.filter(pk__in=[alert.pk for alert in made[:3]]))

    assert (everything.way, of_site.way) == (Way.TYPED, Way.APPROVAL)


def test_a_person_proposes_only_what_they_have_the_permission_for(fleet, db):
    for code in ("SJK", "UMD"):
        factories.alert(fleet, site=fleet.site(code))
    local = person("local")
    grant(local, "Operator", site=fleet.site("SJK"))

    proposal = propose_many("snooze", Alert.objects.all(), {}, by=User.objects.get(pk=local.pk), at=now())

    assert len(proposal.payload.alerts) == 1


@pytest.mark.parametrize("end", [factories.resolved, Alert.delete], ids=["resolved", "deleted"])
def test_people_elsewhere_may_not_read_it_after_its_alerts_are_over(three, fleet, tanaka, yamada, end):
    request, there = asked(tanaka), person("there", of=None)
    grant(there, "Operator", site=fleet.site("UMD"))

    for alert in three:
        end(alert)

    assert [services.may_decide(request, each) for each in (there, yamada)] == [False, True]
