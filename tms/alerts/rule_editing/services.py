"""Creates, edits and deletes rules."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.alerts.lifecycle import clear_rule, standing, trigger
from tms.alerts.models import Rule
from tms.alerts.models.rule import NAMES
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.presence import store


class OutOfDate(Exception):
    """Another person edited the rule meanwhile."""

    code = "tms:rule-changed"

    def __init__(self, rule: Rule) -> None:
        super().__init__(
            f"rule {rule.pk} was changed at {rule.changed_at} and is at version {rule.version}; read it again"
        )
        self.rule = rule
        """The current rule."""


@transaction.atomic
def save_rule(rule: Rule, *, by: User | None, at: datetime, version: int | None = None) -> bool:
    """Save a new rule, or one that was edited from `version`. Returns whether there was anything to save.

    A new name alone clears nothing. Raises OutOfDate.
    """
    if not rule.pk:
        change_rule(rule, at=at, by=by)
        return True
    edited = {name for name, value in _lock_stored(rule, version).content().items() if value != rule.content()[name]}
    if edited - NAMES:
        change_rule(rule, at=at, by=by)
    elif edited:
        _rename(rule, at=at, by=by)
    return bool(edited)


def lock(rules: Sequence[Rule]) -> None:
    """Lock several rules before they are changed in one transaction: locking one after the other would break the
    order of locks (`tms.alerts.locks`).
    """
    stored = [rule for rule in rules if rule.pk]
    list(Rule.objects.filter(pk__in=[rule.pk for rule in stored]).order_by("pk").select_for_update(no_key=True))
    active = {terminal_id for rule in stored for _, terminal_id in standing.active_pairs(rule=rule)}
    store.lock(active | {terminal_id for rule in rules for terminal_id in standing.matching_away(rule)})


@transaction.atomic
def change_rule(rule: Rule, *, at: datetime, by: User | None = None) -> None:
    """Save an edited or new rule.

    Clears what its former revision triggered; the next reports are evaluated again. Terminals that are offline send no
    reports, so a presence rule triggers for them at once.
    """
    _begin_revision(rule, at=at, by=by)
    pairs = standing.active_pairs(rule=rule)
    away = standing.matching_away(rule)
    link_state = store.lock({terminal_id for _, terminal_id in pairs} | set(away))
    clear_rule(pairs, at=at, comment="rule changed")
    trigger(
        [standing.trigger_of(rule, link_state[terminal_id], at) for terminal_id in away if terminal_id in link_state]
    )
    publish(Change(rules=True))


@transaction.atomic
def delete_rule(rule: Rule, *, by: User | None, at: datetime, version: int | None = None) -> None:
    """Its alerts are resolved, and stay in the history under its name. Raises OutOfDate."""
    _lock_stored(rule, version)
    rule.enabled, rule.deleted_at = False, at
    _begin_revision(rule, at=at, by=by)
    pairs = standing.active_pairs(rule=rule)
    store.lock({terminal_id for _, terminal_id in pairs})
    clear_rule(pairs, at=at, comment="rule deleted")
    publish(Change(rules=True))


@transaction.atomic
def restore_rule(rule: Rule, *, is_enabled: bool, by: User, at: datetime) -> bool:
    """A deleted rule is evaluated again; its resolved alerts stay so. False if another rule has its name now."""
    if Rule.objects.not_deleted().filter(name=rule.name).exists():
        return False
    rule.enabled, rule.deleted_at = is_enabled, None
    change_rule(rule, at=at, by=by)
    return True


def _lock_stored(rule: Rule, version: int | None) -> Rule:
    """The stored rule, locked until the transaction ends."""
    now = Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    if now.deleted_at or version not in {None, now.version}:
        raise OutOfDate(now)
    return now


def _begin_revision(rule: Rule, *, at: datetime, by: User | None) -> None:
    before = None
    if rule.pk:
        # Of the row, not of this copy: a concurrent edit makes its own revision.
        before = Rule.objects.select_for_update(no_key=True).get(pk=rule.pk)
        rule.revision, rule.version = before.revision + 1, before.version + 1
    rule.changed_at, rule.changed_by = at, by
    rule.save()
    recorder.record_edit(before, rule, "deleted" if rule.deleted_at else "")


def _rename(rule: Rule, *, at: datetime, by: User | None) -> None:
    """Clears nothing. Call it while the row is locked."""
    before = Rule.objects.get(pk=rule.pk)
    rule.version = before.version + 1
    rule.changed_at, rule.changed_by = at, by
    rule.save(update_fields=(*NAMES, "version", "changed_at", "changed_by"))
    recorder.record_edit(before, rule)
    publish(Change(everything=True))
