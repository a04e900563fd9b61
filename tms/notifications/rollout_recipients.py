"""Who is notified of rollouts: the person who started one, and the first step of policies that ask for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from tms.accounts.access import may_watch, within
from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, RolloutNews
from tms.notifications.policies.steps import steps_of
from tms.notifications.rotations.on_call import destinations_of
from tms.rollouts.models import Rollout
from tms.rollouts.pages.notified import NewsRecipient


def notified_of(rollout: Rollout, scope: Scope, at: datetime) -> Iterator[NewsRecipient]:
    """Whom news of the rollout reach now: the person who started it, and the destinations that the scope shows."""
    person = rollout.started_by
    if person is not None:
        reached = any(allowed(rollout.pk, of_starter(person, destinations_of({person.pk}))))
        yield NewsRecipient(name_of(person).text, _labels(RolloutNews) if reached else (), is_person=True)
    by_news = of_policies(at)
    shown = set(within(Destination.objects.not_deleted(), scope).values_list("pk", flat=True))
    found = dict.fromkeys(one for each in by_news.values() for one in each if one.pk in shown)
    for destination in allowed(rollout.pk, found):
        yield NewsRecipient(destination.name, _labels(news for news in RolloutNews if destination in by_news[news]))


def _labels(news: Iterable[RolloutNews]) -> tuple[str, ...]:
    return tuple(str(one.label) for one in news)


def of_starter(person: User | None, own: Mapping[int, Sequence[Destination]]) -> Sequence[Destination]:
    return own.get(person.pk, ()) if person is not None and may_watch(person) else ()


def of_policies(at: datetime) -> dict[RolloutNews, list[Destination]]:
    """The destinations of the first steps, by what their policies ask for. Those of a part of the fleet are `allowed`
    what lies within it.
    """
    policies = {policy.pk: policy for policy in Policy.objects.enabled().exclude(rollouts=[])}
    found: dict[RolloutNews, list[Destination]] = {news: [] for news in RolloutNews}
    for pk, steps in steps_of(policies.keys(), at=at).items():
        for news in policies[pk].rollouts:
            found[RolloutNews(news)] += steps[0].reached
    return found


def allowed(rollout: int, destinations: Iterable[Destination]) -> Iterator[Destination]:
    """The destinations whose readers see every terminal of the rollout."""
    sees = cache(lambda audience: Rollout.objects.filter(pk=rollout).wholly_within(audience).exists())
    return (destination for destination in destinations if sees(destination.audience))
