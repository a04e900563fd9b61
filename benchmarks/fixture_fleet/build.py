"""Builds the fleet whose pages are measured."""

from datetime import UTC, datetime
from random import Random

from django.conf import settings
from django.db import connection, transaction

from benchmarks.fixture_fleet.day import make_alerts, make_changes
from benchmarks.fixture_fleet.terminals import make_sites, make_states, make_terminals
from benchmarks.systems.session import sign_in
from tms.accounts.models import User

SEED = 20261125


def build(number: int, *, sites: int, alerts: int) -> str:
    """Returns the cookie of a person with all permissions. The database must be migrated, and have no fleet."""
    chance, at = Random(SEED), datetime.now(UTC)
    with transaction.atomic():
        person = User.objects.create_superuser("watcher", password=None, first_name="Mei", last_name="Tanaka")
        terminals = make_terminals(number, make_sites(sites))
        states = make_states(terminals, at=at, chance=chance)
        make_changes(states, at=at, chance=chance)
        make_alerts(alerts, states, terminals, by=person, at=at, chance=chance)
    with connection.cursor() as cursor:
        # Like autovacuum in the first minutes.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return f"{settings.SESSION_COOKIE_NAME}={sign_in(person)}"
