"""Fixtures for all tests. Those of one subject are in the conftest.py of its folder."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase, client
from django.test.signals import setting_changed

from tests.support.alerts.default_rules import add_default_rules
from tests.support.alerts.incidents import Storm
from tests.support.alerts.rule_cache import empty_rule_cache
from tests.support.builders import FakeScheduler, Fleet
from tests.support.database import template_db
from tests.support.database.fast_flush import empty_databases
from tests.support.feed_recorder import FeedRecorder
from tests.support.pytest_plugins import collecting, scheduling
from tests.support.pytest_plugins.failures import Failures
from tms.alerts.rules.cache import rule_cache
from tms.feed.change import Change

# No test asserts how long something takes, hypothesis included.
hypothesis.settings.register_profile("tms", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tms")

QUICK_HASH = "django.contrib.auth.hashers.MD5PasswordHasher"
"""There are no real passwords in tests, and a real hash takes a third of a second."""
IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}}

ARTIFACTS = tempfile.TemporaryDirectory()
"""Where tests store them; it ends with the process."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(config))
        if config.option.dist != "no":
            template_db.share()
    keep_workers_apart()
    settings.PASSWORD_HASHERS = [QUICK_HASH]
    settings.STORAGES["default"] = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES["artifacts"]["OPTIONS"] = {"location": ARTIFACTS.name}
    # A model has asked for its storage already.
    setting_changed.send(sender=None, setting="STORAGES", value=settings.STORAGES, enter=True)
    TransactionTestCase._fixture_teardown = empty_databases
    # Of each part of each page, the client would copy the context, which no test reads.
    client.store_rendered_templates = lambda *_, **__: None


def keep_workers_apart() -> None:
    """Tests share the Redis of their pass, and must not receive each other's messages."""
    layer = settings.CHANNEL_LAYERS["default"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if "prefix" in layer["CONFIG"]:
        layer["CONFIG"]["prefix"] += worker
    for options in settings.CACHES.values():
        options["KEY_PREFIX"] = options.get("KEY_PREFIX", "") + worker


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return collecting.is_of_another_pass(collection_path, config.option.markexpr) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that need PostgreSQL and Redis if there are none; `make test` has a pass with both."""
    scheduling.sort(items)
    if os.environ.get("TMS_DATABASE_URL") and os.environ.get("TMS_REDIS_URL"):
        return
    needy = [item for item in items if item.get_closest_marker("services")]
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if item not in needy]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Modules stay loaded: the garbage collector need not search them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> scheduling.LongestFirst:
    return scheduling.LongestFirst(config, log)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The copy of a worker is its test database; for PostgreSQL, Django itself creates it from a template."""
    return template_db.is_shared() and on_sqlite()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in use: Django does not allow a thread to close a database in memory."""
    database = settings.DATABASES["default"]
    if on_sqlite():
        folder = tmp_path_factory.mktemp("database")
        database["TEST"]["NAME"] = str(folder / template_db.SQLITE)
        # It need not survive the machine.
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
        if template_db.is_shared():
            template_db.copy_file(folder)
    elif template_db.is_shared():
        database["TEST"]["TEMPLATE"] = template_db.name_of(template_db.database(os.environ["TMS_DATABASE_URL"]))


def on_sqlite() -> bool:
    return settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


@pytest.fixture
def no_rules_cached() -> Iterator[None]:
    empty_rule_cache()
    yield
    rule_cache().changed(Change(rules=True))


@pytest.fixture
def fleet(db: None, no_rules_cached: None) -> Fleet:
    """An empty fleet without rules."""
    return Fleet()


@pytest.fixture
def scheduler() -> FakeScheduler:
    """A clock that advances on demand."""
    return FakeScheduler()


@pytest.fixture
def storm(fleet: Fleet, scheduler: FakeScheduler) -> Storm:
    return Storm(fleet, scheduler)


@pytest.fixture
def feed_recorder(settings: Any) -> FeedRecorder:
    """Records what is published. The feed is in memory: its transport between processes is tested elsewhere."""
    settings.CHANNEL_LAYERS = IN_MEMORY
    return FeedRecorder()


@pytest.fixture
def default_rules(db: None) -> None:
    add_default_rules()
