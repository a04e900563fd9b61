"""A command: queued, sent, then done, failed or expired. Each transition happens once."""

import pytest
from django.db import transaction

from tests.support.builders import AT, later
from tests.support.threads import run_concurrently
from tms.commands import services
from tms.commands.kinds import CATALOG, CHANGES
from tms.commands.models import Command, CommandState
from tms.commands.services import Answered, CommandRefused
from tms.feed.change import Change
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.terminal()


@pytest.fixture
def sent(fleet, terminal) -> Command:
    command = fleet.command(terminal, answer_within_s=30)
    services.dequeue({terminal.pk: 1}, at=later(1))
    command.refresh_from_db()
    return command


def settle(command: Command, *, terminal: Terminal | None = None, result=None, error="") -> Command:
    whose = command.terminal_id if terminal is None else terminal.pk
    with transaction.atomic():
        services.record_answers([Answered(command.pk, whose, result, error)], at=later(2))
    command.refresh_from_db()
    return command


# Queueing


def test_a_queued_command_waits_until_it_expires(fleet, terminal):
    command = services.queue(
        terminal, name="reboot", args={"delay_s": 5}, by=fleet.person(), at=AT, deliver_within_s=600
    )

    assert (command.state, command.args, command.created_by.username) == ("queued", {"delay_s": 5}, "aiko")
    assert command.due_at == command.deliver_before == later(600)
    assert services.waiting(at=later(599)) == services.waiting_for([terminal.pk], at=later(599)) == {terminal.pk}
    assert services.waiting(at=later(600)) == services.waiting_for([terminal.pk], at=later(600)) == set()


REFUSED = [
    ({"name": "update"}, f"unknown command 'update'; use one of {', '.join(CATALOG)}"),
    ({"name": "format_disk"}, f"unknown command 'format_disk'; use one of {', '.join(CATALOG)}"),
    ({"answer_within_s": 0.5}, "answer_within_s=0.5: must be from 1 to 3600 seconds"),
    ({"answer_within_s": 3601}, "answer_within_s=3601: must be from 1 to 3600 seconds"),
    ({"answer_within_s": float("nan")}, "answer_within_s=nan: must be from 1 to 3600 seconds"),
    ({"deliver_within_s": 0}, "deliver_within_s=0: must be from 1 to 604800 seconds"),
    ({"deliver_within_s": 1e12}, "deliver_within_s=1000000000000.0: must be from 1 to 604800 seconds"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
def test_an_invalid_command_is_refused_with_the_expected_value(terminal, wrong, message):
    with pytest.raises(CommandRefused) as refused:
        services.queue(terminal, **{"name": "ping", "args": {}, "by": None, "at": AT} | wrong)

    assert str(refused.value) == message
    assert refused.value.code == "tms:bad-command"
    assert not Command.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_every_transition_is_published_with_its_terminal(fleet, terminal, feed_recorder):
    feed_recorder.changes()
    returned = Change(commands=frozenset({terminal.pk}), terminals=frozenset({terminal.pk}))

    command = fleet.command(terminal)
    queued = feed_recorder.changes()
    services.dequeue({terminal.pk: 1}, at=later(1))
    sent = feed_recorder.changes()
    settle(command)

    assert queued == sent == feed_recorder.changes() == [returned]


# Sending


def test_one_query_shows_that_no_terminal_of_a_node_has_a_command(fleet, terminal, django_assert_max_num_queries):
    fleet.command(fleet.terminal())
    of_node = {terminal.pk: 1} | dict.fromkeys(range(10**6, 10**6 + 1000), 1)

    with django_assert_max_num_queries(1):
        assert services.dequeue(of_node, at=later(1)) == []


def test_a_dequeued_command_is_sent_over_the_session_that_dequeued_it(fleet, terminal):
    fleet.command(terminal, answer_within_s=45)

    [command] = services.dequeue({terminal.pk: 7}, at=later(1))

    stored = Command.objects.get()
    assert (stored.state, stored.session, stored.sent_at, stored.due_at) == ("sent", 7, later(1), later(46))
    assert (command.session, command.due_at) == (7, later(46))


def test_the_commands_of_many_terminals_are_dequeued_in_as_few_statements_as_one(fleet, django_assert_max_num_queries):
    terminals = [fleet.terminal() for _ in range(20)]
    for terminal in terminals:
        fleet.command(terminal)

    with django_assert_max_num_queries(5):  # the check, and a savepoint around a SELECT and an UPDATE
        claimed = services.dequeue({terminal.pk: terminal.pk for terminal in terminals}, at=later(1))

    assert {command.terminal_id: command.session for command in Command.objects.filter(state="sent")} == {
        terminal.pk: terminal.pk for terminal in terminals
    }
    assert len(claimed) == 20


def test_commands_are_sent_in_the_order_in_which_they_were_queued_and_only_once(fleet, terminal):
    queued = [fleet.command(terminal, name=name) for name in ("reboot", "ping", "collect_logs")]

    claimed = services.dequeue({terminal.pk: 1}, at=later(1))
    again = services.dequeue({terminal.pk: 2}, at=later(2))

    assert [command.pk for command in claimed] == [command.pk for command in queued]
    assert again == []


def test_only_the_given_terminals_get_their_commands(fleet, terminal):
    other = fleet.terminal()
    fleet.command(other)
    mine = fleet.command(terminal)

    assert [command.pk for command in services.dequeue({terminal.pk: 1}, at=later(1))] == [mine.pk]


def test_an_expired_command_is_not_sent_even_before_the_clock_noticed(fleet, terminal):
    fleet.command(terminal, deliver_within_s=60)

    assert services.dequeue({terminal.pk: 1}, at=later(60)) == []


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_many_concurrent_nodes_exactly_one_gets_each_command(fleet):
    terminals = [fleet.terminal() for _ in range(4)]
    queued = {fleet.command(terminal).pk for terminal in terminals for _ in range(5)}

    claims = run_concurrently(8, lambda n: services.dequeue({terminal.pk: n for terminal in terminals}, at=later(1)))

    claimed = [command.pk for claim in claims for command in claim]
    assert sorted(claimed) == sorted(queued)
    for number, claim in enumerate(claims):
        assert set(Command.objects.filter(pk__in=[c.pk for c in claim]).values_list("session", flat=True)) <= {number}


# Answers


@pytest.mark.parametrize("result", [None, "pong", {"lines": ["a", "b"]}, [1, 2], 0, False, "時刻"])
def test_any_result_is_done(sent, result):
    command = settle(sent, result=result)

    assert (command.state, command.result, command.error) == ("done", result, "")
    assert (command.answered_at, command.due_at) == (later(2), None)


def test_an_error_is_failed_and_a_long_one_is_truncated(sent):
    command = settle(sent, error="tms:refused " + "x" * 900)

    assert command.state == CommandState.FAILED
    assert len(command.error) == 500


def test_the_answers_of_many_terminals_are_stored_by_two_statements(fleet, django_assert_max_num_queries):
    terminals = [fleet.terminal() for _ in range(20)]
    commands = [fleet.command(terminal) for terminal in terminals]
    services.dequeue({terminal.pk: 1 for terminal in terminals}, at=later(1))
    errors = ["" if number % 2 else "tms:refused" for number in range(20)]
    pairs = zip(commands, errors, strict=True)
    answers = [Answered(command.pk, command.terminal_id, {"of": command.pk}, error) for command, error in pairs]

    with transaction.atomic(), django_assert_max_num_queries(2):
        services.record_answers([*answers, answers[0]._replace(error="", result="again")], at=later(2))

    stored = Command.objects.in_bulk()
    assert [stored[command.pk].error for command in commands] == errors
    assert [stored[command.pk].state for command in commands] == ["failed", "done"] * 10
    assert all(command.result == {"of": pk} for pk, command in stored.items())


@pytest.mark.parametrize("state", ["queued", "done", "failed", "expired"])
def test_an_unexpected_answer_changes_nothing(fleet, terminal, state):
    command = fleet.command(terminal)
    Command.objects.update(state=state, error="as it was")

    settled = settle(command, result="late")

    assert (settled.state, settled.error, settled.result, settled.answered_at) == (state, "as it was", None, None)


def test_an_answer_of_another_terminal_changes_nothing(fleet, sent):
    assert settle(sent, terminal=fleet.terminal(), result="mine").state == CommandState.SENT


def test_an_answer_after_the_deadline_changes_nothing(sent):
    services.expire(later(31))

    assert settle(sent, result="late").state == CommandState.FAILED


# Time


def test_a_command_for_a_terminal_that_did_not_come_back_expires(fleet, terminal):
    command = fleet.command(terminal, deliver_within_s=60)

    passes = [services.expire(later(seconds)) for seconds in (59, 60, 61)]

    command.refresh_from_db()
    assert passes == [0, 1, 0]
    assert (command.state, command.error) == ("expired", "the terminal did not come back in time")


def test_a_command_that_was_not_answered_in_time_has_failed(sent):
    passes = [services.expire(later(seconds)) for seconds in (30, 31, 32)]

    sent.refresh_from_db()
    assert passes == [0, 1, 0]
    assert (sent.state, sent.error) == ("failed", "no answer in time")


def test_an_answered_command_does_not_expire(sent):
    settle(sent)

    assert services.expire(later(10_000)) == 0


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_dequeuing_that_races_with_the_deadline_has_one_of_both_outcomes(fleet, terminal):
    commands = [fleet.command(terminal, deliver_within_s=60).pk for _ in range(20)]

    results = run_concurrently(
        6, lambda n: services.expire(later(60)) if n % 2 else services.dequeue({terminal.pk: n}, at=later(59))
    )

    assert not [result for result in results if isinstance(result, Exception)]
    claimed = {command.pk for result in results if isinstance(result, list) for command in result}
    expired = set(Command.objects.filter(state=CommandState.EXPIRED).values_list("pk", flat=True))
    assert claimed | expired == set(commands)
    assert not claimed & expired


# Changes


@pytest.mark.parametrize(("answered", "state", "error"), [(True, "done", ""), (False, "failed", "no answer in time")])
def test_apps_hear_of_changes_that_are_over_in_the_transaction_and_of_nothing_else(fleet, answered, state, error):
    one, other = fleet.terminal(), fleet.terminal()
    fleet.command(one)
    made = services.queue_each(
        {one.pk: {"revision": 7}, other.pk: {"revision": 8}},
        CHANGES["configure"],
        by=None,
        at=AT,
        answer_within_s=60,
        deliver_within_s=60,
    )
    services.dequeue({one.pk: 1, other.pk: 2}, at=later(1))
    heard = []
    services.commands_ended.connect(hear := lambda commands, **_: heard.append(commands))

    if answered:
        with transaction.atomic():
            services.record_answers([Answered(made[pk].pk, pk, {}, "") for pk in made], at=later(2))
    else:
        services.expire(later(61))
    services.commands_ended.disconnect(hear)

    [ended] = heard
    assert [(each.name, each.args["revision"], each.state, each.error) for each in ended] == [
        ("configure", 7, state, error),
        ("configure", 8, state, error),
    ]
