"""The rules in one process."""

import pytest

from tests.support.builders import AT
from tms.alerts.rule_editing import services
from tms.alerts.rules.cache import RuleCache
from tms.feed.change import Change

RULES = Change(rules=True)


@pytest.fixture
def book(fleet) -> RuleCache:
    return RuleCache()


def names(book: RuleCache) -> list[str]:
    return [row.name for row in book.get().rows]


def test_the_first_access_reads_the_enabled_rules(fleet, book):
    fleet.metric_rule(name="Hot")
    fleet.metric_rule(name="Off", enabled=False)

    assert names(book) == ["Hot"]


def test_it_does_not_query_again_until_rules_have_changed(fleet, book, django_assert_num_queries):
    fleet.metric_rule(name="Hot")
    book.get()
    fleet.metric_rule(name="New")

    with django_assert_num_queries(0):
        before = names(book)
    book.changed(RULES)

    assert (before, names(book)) == (["Hot"], ["Hot", "New"])


@pytest.mark.parametrize(
    ("change", "again"), [(Change(terminals=frozenset({1})), 0), (RULES, 2), (Change(everything=True), 2)]
)
def test_only_changes_that_may_concern_rules_cause_another_read(fleet, book, django_assert_num_queries, change, again):
    book.get()

    book.changed(change)

    with django_assert_num_queries(again):
        book.get()


def test_it_reads_again_periodically_because_the_feed_is_only_a_hint(fleet, book, monkeypatch):
    book.get()
    fleet.metric_rule(name="Unheard")
    unheard = names(book)

    monkeypatch.setattr(RuleCache, "unfed_stale_s", 0.0)

    assert (unheard, names(book)) == ([], ["Unheard"])


def test_an_edit_makes_a_new_snapshot_and_otherwise_the_old_one_stays(fleet, book):
    rule = fleet.metric_rule(limit=75)
    first = book.get()
    book.changed(RULES)
    unchanged = book.get()

    rule.limit = 80
    services.change_rule(rule, at=AT)
    book.changed(RULES)
    edited = book.get()

    assert unchanged is first
    assert edited is not first
    assert edited.revisions == {rule.pk: 2}


def test_an_unavailable_database_keeps_the_cache_outdated(fleet, book, django_db_blocker):
    fleet.metric_rule(name="Hot")
    with django_db_blocker.block(), pytest.raises(RuntimeError):
        book.get()

    assert names(book) == ["Hot"]
