"""From what happened to who is to be told of it: transitions become tellings, and tellings become deliveries.

Each step is one transaction that also takes its source off the list (`told_at`, `due_at`), so that nothing is decided
twice and nothing is left out, whoever dies when. What is decided waits in the database until a worker hands it over.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from django.db import connection, models, transaction

from tms.alerts.models import AlertState, Transition
from tms.alerts.quiet import quiet
from tms.fleet.models import Group
from tms.notifications.delivery import ALARMS, DeliveryState, News, Told
from tms.notifications.gathering import Item, gather
from tms.notifications.policy import Policy, Step, Telling

PASS_LIMIT = 2_000
RISEN = {"opened": News.OPENED, "worsened": News.WORSENED}
"""Kinds of transition that begin to be told, from the first step on."""
GIVEN_BACK = frozenset({"withdrawn", "expired", "undone"})
"""After which nobody is on it any more, and telling goes on where it had stopped."""
ENDED = {"acknowledged": News.ACKNOWLEDGED, "resolved": News.RESOLVED}
"""Of which those are told who were told before."""


def advance(at: datetime) -> int:
    """Decide what is to be sent of all that has happened and is due; how many steps that took."""
    return look(at) + tell(at)


@transaction.atomic
def look(at: datetime) -> int:
    """Transitions that were not looked at yet (index: transition_untold)."""
    rows = locked(Transition.objects.filter(told_at=None).order_by("pk"))[:PASS_LIMIT]
    new = list(rows.select_related("alert__rule", "alert__terminal__site"))
    for kinds, act in ((RISEN, _begin), (GIVEN_BACK, _resume), (ENDED, _inform)):
        if chosen := [row for row in new if row.kind in kinds]:
            act(chosen, at)
    Transition.objects.filter(pk__in=[row.pk for row in new]).update(told_at=at)
    return len(new)


@transaction.atomic
def tell(at: datetime) -> int:
    """Tellings whose time has come (index: telling_due) take their next step, unless all is quiet or in hand."""
    rows = locked(Telling.objects.filter(due_at__lte=at).order_by("due_at", "pk"))[:PASS_LIMIT]
    due = list(rows.select_related("alert__rule", "alert__terminal__site", "policy"))
    open_ones = [telling.alert for telling in due if telling.alert.state == AlertState.OPEN]
    hushed = quiet(open_ones, at=at) if open_ones else {}
    steps = _steps({telling.policy_id for telling in due})
    items: list[Item] = []
    for telling in due:
        if telling.alert.state != AlertState.OPEN or not telling.policy.enabled:
            telling.due_at = None
        elif (why := hushed.get(telling.alert_id)) is not None:
            telling.due_at, telling.quiet = why.ask_again_at(at), why.reason
        else:
            items += _take_step(telling, steps.get(telling.policy_id, []), at)
    Telling.objects.bulk_update(due, ["due_at", "quiet", "step", "taken"])
    gather(items, at=at)
    return len(due)


def locked[M: models.Model](rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """What another outbox is about is left to it."""
    if connection.vendor != "postgresql":
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def _begin(rows: Sequence[Transition], at: datetime) -> None:
    """Each policy that fits begins with its first step. Where it had begun before, it begins anew: it got worse."""
    policies = list(Policy.objects.enabled())
    groups = _groups(rows) if any(policy.groups.all() for policy in policies) else {}
    tellings = {
        (row.alert_id, policy.pk): Telling(
            alert=row.alert,
            policy=policy,
            kind=RISEN[row.kind],
            happened_at=row.at,
            due_at=at + timedelta(seconds=policy.delay_s),
        )
        for row in rows
        for policy in policies
        if policy.concerns(row.alert, groups.get(row.alert.terminal_id, ()))
    }
    Telling.objects.bulk_create(
        tellings.values(),
        update_conflicts=True,
        unique_fields=["alert", "policy"],
        update_fields=["kind", "happened_at", "due_at", "step"],
    )


def _resume(rows: Sequence[Transition], at: datetime) -> None:
    """Nobody is on it any more: the next step is due. One that has told all its steps has nothing more to do."""
    alerts = {row.alert_id for row in rows}
    Telling.objects.filter(alert__in=alerts, due_at=None).update(due_at=at)


def _inform(rows: Sequence[Transition], at: datetime) -> None:
    """Exactly those who were told: what waits untried to be told to them is dropped instead when its turn comes."""
    told = (
        Told.objects.filter(alert__in={row.alert_id for row in rows}, delivery__news__in=ALARMS)
        .exclude(delivery__state__in=(DeliveryState.DEAD, DeliveryState.WITHDRAWN))
        .exclude(delivery__state=DeliveryState.WAITING, delivery__attempts=0)
        .select_related("delivery__destination", "delivery__policy")
        .order_by("pk")
    )
    by_alert: dict[int, list[Told]] = {}
    for one in told:
        by_alert.setdefault(one.alert_id, []).append(one)
    gather(chain.from_iterable(_replies(row, by_alert.get(row.alert_id, [])) for row in rows), at=at)


WANTED: Mapping[str, Callable[[Policy], bool]] = {
    News.RESOLVED: lambda policy: policy.tells_recovery,
    News.ACKNOWLEDGED: lambda policy: policy.tells_acknowledgement,
}


def _replies(row: Transition, told: Collection[Told]) -> list[Item]:
    """One for each destination, whichever policies told it."""
    news = ENDED[row.kind]
    wanted = {
        one.delivery.destination_id: one.delivery
        for one in told
        if one.delivery.policy is not None and WANTED[news](one.delivery.policy)
    }
    return [
        Item(row.alert, before.policy, before.destination, news, f"{news}-{row.pk}", row.at)
        for before in wanted.values()
        if before.policy is not None and before.destination.enabled
    ]


def _take_step(telling: Telling, steps: Sequence[Step], at: datetime) -> list[Item]:
    step = next((step for step in steps if step.position >= telling.step), None)
    telling.quiet, was_quiet = "", bool(telling.quiet)
    if step is None:
        telling.due_at = None
        return []
    is_prompt = not was_quiet and step.position == 0 and not telling.policy.delay_s
    happened_at = telling.happened_at if is_prompt else None
    items = [
        Item(
            telling.alert,
            telling.policy,
            destination,
            News(telling.kind),
            f"telling-{telling.pk}-{telling.taken}",
            happened_at,
            step=step.position,
        )
        for destination in step.destinations.all()
        if destination.enabled
    ]
    telling.step, telling.taken = step.position + 1, telling.taken + 1
    after = next((later.after_s for later in steps if later.position > step.position), None)
    if after is not None and not items:  # nobody could be told: do not wait for them
        after = 0
    telling.due_at = None if after is None else at + timedelta(seconds=after)
    return items


def _steps(policy_ids: Collection[int]) -> dict[int, list[Step]]:
    steps: dict[int, list[Step]] = {}
    for step in Step.objects.filter(policy__in=policy_ids).prefetch_related("destinations").order_by("position"):
        steps.setdefault(step.policy_id, []).append(step)
    return steps


def _groups(rows: Iterable[Transition]) -> dict[int, set[int]]:
    """The groups of each terminal."""
    groups: dict[int, set[int]] = {}
    terminals = {row.alert.terminal_id for row in rows}
    members = Group.terminals.through.objects.filter(terminal__in=terminals)
    for terminal_id, group_id in members.values_list("terminal_id", "group_id"):
        groups.setdefault(terminal_id, set()).add(group_id)
    return groups
