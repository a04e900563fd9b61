"""From what happened to who is to be told of it: transitions become tellings, and tellings become deliveries.

Each step is one transaction that also takes its source off the list (`told_at`, `due_at`), so that nothing is decided
twice and nothing is left out, whoever dies when. What is decided waits in the database until a worker hands it over.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from django.db import connection, models

from tms.alerts.models import Alert, AlertState
from tms.alerts.suppression.reasons import Reason
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.notifications.dispatch.grouping import Notification, group
from tms.notifications.models.delivery import ALARMS, DeliveryState, News, Told
from tms.notifications.models.policy import Policy, Step, Telling
from tms.notifications.policies.escalation import steps_of
from tms.notifications.policies.schedule import waiting
from tms.notifications.rotations.on_call import destinations_of
from tms.notifications.subjects import (
    ALERT,
    INCIDENT,
    KINDS,
    SubjectEvent,
    SubjectType,
    asks_for_somebody,
    column,
    concerns,
    suppressed_subjects,
)

PASS_LIMIT = 2_000

unheeded = {kind: SetAside[int]("outbox") for kind in KINDS}
untold = SetAside[int]("outbox")
RISEN = {"opened": News.OPENED, "worsened": News.WORSENED, "flapping": News.FLAPPING}
"""Kinds of transition that begin to be told, from the first step on."""
GIVEN_BACK = frozenset({"withdrawn", "expired", "undone", "joined"})
"""After which nobody is on it any more, or on some of it, and telling goes on where it had stopped."""
ENDED = {
    "acknowledged": News.ACKNOWLEDGED,
    "resolved": News.RESOLVED,
    "dissolved": News.RESOLVED,
    "calm": News.CALM,
}
"""Of which those are told who were told before."""
PERSONAL = {"assigned": News.ASSIGNED, "reminded": News.REMINDED}
"""Of which the person is told whom it is about, at their own destinations."""


def advance(at: datetime) -> int:
    """Decide what is to be sent of all that has happened and is due; how many steps that took."""
    return look(at) + tell(at)


def look(at: datetime) -> int:
    """Steps of alerts and incidents that were not looked at yet."""
    return sum(_look_at_all(kind, at) for kind in KINDS)


def _look_at_all(kind: SubjectType, at: datetime) -> int:
    """Index: transition_untold, incidenttransition_untold."""
    new = kind.history.objects.filter(told_at=None).exclude(pk__in=unheeded[kind].keys(at)).order_by("pk")
    pks = list(new.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_look, kind, at=at), aside=unheeded[kind], at=at)


def _look(kind: SubjectType, pks: Collection[int], *, at: datetime) -> int:
    """Call it in a transaction."""
    rows = lock(kind.history.objects.filter(pk__in=pks, told_at=None).order_by("pk"))
    new = [kind.happening(row) for row in rows.select_related(*kind.related)]
    for kinds, act in ((RISEN, _begin), (GIVEN_BACK, _resume), (ENDED, _inform), (PERSONAL, _ask)):
        if chosen := [happening for happening in new if happening.kind in kinds]:
            act(kind, chosen, at)
    kind.history.objects.filter(pk__in=[row.pk for row in new]).update(told_at=at)
    return len(new)


def _due(at: datetime) -> models.QuerySet[Telling]:
    """Index: telling_due."""
    return Telling.objects.filter(due_at__lte=at)


@skip_when_empty(_due)
def tell(at: datetime) -> int:
    """Tellings whose time has come take their next step, unless all is quiet or in hand."""
    due = _due(at).exclude(pk__in=untold.keys(at)).order_by("due_at", "pk")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_tell, at=at), aside=untold, at=at)


def _tell(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    rows = lock(_due(at).filter(pk__in=pks).order_by("due_at", "pk"))
    due = list(rows.select_related(*ALERT.related, *INCIDENT.related, "policy"))
    needy = asks_for_somebody([telling.subject for telling in due])
    quiet = suppressed_subjects(needy, at=at)
    closed = waiting(due, at=at)
    steps = steps_of({telling.policy_id for telling in due}, at=at)
    items: list[Notification] = []
    for telling in due:
        if telling.subject not in needy or not telling.policy.enabled:
            telling.due_at = None
        elif (why := quiet.get(telling.subject) or closed.get(telling.pk)) is not None:
            telling.due_at, telling.quiet = why.ask_again_at(at), why.reason
        else:
            items += _take_step(telling, steps.get(telling.policy_id, []), at)
    Telling.objects.bulk_update(due, ["due_at", "quiet", "step", "taken"])
    group(items, at=at)
    return len(due)


def lock[M: models.Model](rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """What another outbox is about is left to it."""
    if connection.vendor != "postgresql":
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def _begin(kind: SubjectType, rows: Sequence[SubjectEvent], at: datetime) -> None:
    """Each policy that fits begins with its first step. Where it had begun before, it begins anew: it got worse."""
    policies = list(Policy.objects.enabled())
    concerned = concerns([row.subject for row in rows]) if policies else {}
    tellings = {
        (row.subject.pk, policy.pk): Telling(
            **column(row.subject),
            policy=policy,
            kind=RISEN[row.kind],
            happened_at=row.at,
            due_at=at + timedelta(seconds=policy.delay_s),
        )
        for row in rows
        for policy in policies
        if policy.concerns(concerned[row.subject])
    }
    Telling.objects.bulk_create(
        tellings.values(),
        update_conflicts=True,
        unique_fields=[kind.column, "policy"],
        update_fields=["kind", "happened_at", "due_at", "step"],
    )


def _resume(kind: SubjectType, rows: Sequence[SubjectEvent], at: datetime) -> None:
    """Nobody is on it any more: the next step is due. One that has told all its steps has nothing more to do."""
    about = models.Q(**{f"{kind.column}__in": {row.subject.pk for row in rows}})
    incidents = {row.subject.incident_id for row in rows if isinstance(row.subject, Alert)} - {None}
    Telling.objects.filter(about | models.Q(incident__in=incidents), due_at=None).update(due_at=at)


def _inform(kind: SubjectType, rows: Sequence[SubjectEvent], at: datetime) -> None:
    """Exactly those who were told: what waits untried to be told to them is dropped instead when its turn comes.

    What recovered with its calm is told as a recovery.
    """
    rows = [row for row in rows if row.kind != "calm" or row.subject.state != AlertState.RESOLVED]
    told = (
        Told.objects.filter(**{f"{kind.column}__in": {row.subject.pk for row in rows}}, delivery__news__in=ALARMS)
        .exclude(delivery__state__in=(DeliveryState.DEAD, DeliveryState.WITHDRAWN))
        .exclude(delivery__state=DeliveryState.WAITING, delivery__attempts=0)
        .select_related("delivery__destination", "delivery__policy")
        .order_by("pk")
    )
    by_subject: dict[int, list[Told]] = {}
    for one in told:
        by_subject.setdefault(getattr(one, f"{kind.column}_id"), []).append(one)
    group(chain.from_iterable(_replies(row, by_subject.get(row.subject.pk, [])) for row in rows), at=at)


def _ask(kind: SubjectType, rows: Sequence[SubjectEvent], at: datetime) -> None:
    """Whom it was assigned to, or who is reminded. Whoever took it themselves knows."""
    asked = [row for row in rows if row.to_id not in (None, row.by_id) and row.subject.state != AlertState.RESOLVED]
    own = destinations_of({row.to_id for row in asked if row.to_id is not None})
    group(
        (
            Notification(row.subject, None, destination, PERSONAL[row.kind], f"{row.kind}-{_source(row)}", row.at)
            for row in asked
            for destination in own.get(row.to_id or 0, ())
        ),
        at=at,
    )


WANTED: Mapping[str, Callable[[Policy], bool]] = {
    News.RESOLVED: lambda policy: policy.tells_recovery,
    News.ACKNOWLEDGED: lambda policy: policy.tells_acknowledgement,
    News.CALM: lambda policy: True,
}


def _replies(row: SubjectEvent, told: Collection[Told]) -> list[Notification]:
    """One for each destination, whichever policies told it."""
    news = ENDED[row.kind]
    wanted = {
        one.delivery.destination_id: one.delivery
        for one in told
        if one.delivery.policy is not None and WANTED[news](one.delivery.policy)
    }
    return [
        Notification(row.subject, before.policy, before.destination, news, f"{news}-{_source(row)}", row.at)
        for before in wanted.values()
        if before.policy is not None and before.destination.enabled
    ]


def _source(row: SubjectEvent) -> str:
    """Of keys: those of incidents and of alerts are numbered by themselves."""
    return str(row.pk) if isinstance(row.subject, Alert) else f"incident-{row.pk}"


def _take_step(telling: Telling, steps: Sequence[Step], at: datetime) -> list[Notification]:
    step = next((step for step in steps if step.position >= telling.step), None)
    telling.quiet, was_quiet = "", telling.quiet not in ("", Reason.FOLDING)
    if step is None:
        telling.due_at = None
        return []
    is_prompt = not was_quiet and step.position == 0 and not telling.policy.delay_s
    happened_at = telling.happened_at if is_prompt else None
    items = [
        Notification(
            telling.subject,
            telling.policy,
            destination,
            _news(telling),
            f"telling-{telling.pk}-{telling.taken}",
            happened_at,
            step=step.position,
        )
        for destination in step.reached
    ]
    telling.step, telling.taken = step.position + 1, telling.taken + 1
    after = next((later.after_s for later in steps if later.position > step.position), None)
    if after is not None and all(item.quiet_until(at) for item in items):  # nobody is told now: do not wait for them
        after = 0
    telling.due_at = None if after is None else at + timedelta(seconds=after)
    return items


def _news(telling: Telling) -> News:
    """What flapped when it happened may be calm by now."""
    news, subject = News(telling.kind), telling.subject
    is_over = news is News.FLAPPING and isinstance(subject, Alert) and not subject.is_flapping
    return News.OPENED if is_over else news
