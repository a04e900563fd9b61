"""The sample of requests to each URL, and the acts that they reach."""

from collections.abc import Iterator, Mapping

import pytest
from pytest_django import DjangoDbBlocker

from tests.accounts.audit.sample import PASSWORD, Sample
from tests.support.addresses.fixture_fleet import create_rows
from tests.support.builders import Fleet
from tests.support.database.shared_rows import shared_rows
from tms.accounts.models import User
from tms.approvals import clearance


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Mapping[str, str]]:
    """One of everything."""
    with shared_rows(django_db_blocker):
        yield create_rows(Fleet(), User.objects.create_superuser("boss", password=PASSWORD))


@pytest.fixture
def sample(rows: Mapping[str, str], no_rules_cached: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are not rendered."""
    monkeypatch.setattr("tms.boards.rendering.template_engine.PageTemplate.render", lambda *_, **__: "")
    monkeypatch.setattr(Sample, "names", rows)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The acts whose services a person's request called, as far as nobody had agreed to more."""
    demand, agreed = clearance.demand, clearance.agreed_terminals

    def demanding(act, *, by, **values):
        if by is not None and not clearance.current():
            Sample.reached.add(act)
        demand(act, by=by, **values)

    def asking(act):
        Sample.reached.add(act)
        return agreed(act)

    monkeypatch.setattr(clearance, "demand", demanding)
    monkeypatch.setattr(clearance, "agreed_terminals", asking)
    return Sample.reached
