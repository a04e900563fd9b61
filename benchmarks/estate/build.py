from datetime import UTC, datetime
from random import Random

from django.conf import settings
from django.db import connection, transaction

from benchmarks.estate.day import make_alerts, make_changes
from benchmarks.estate.terminals import make_sites, make_states, make_terminals
from benchmarks.systems.session import sign_in
from tms.accounts.models import User

SEED = 20261125


def build(number: int, *, sites: int, alerts: int) -> str:
    """The cookie of a person who may see it all. The database must be migrated and without a fleet."""
    chance, at = Random(SEED), datetime.now(UTC)
    with transaction.atomic():
        person = User.objects.create_superuser("watcher", password=None, first_name="Mei", last_name="Tanaka")
        terminals = make_terminals(number, make_sites(sites))
        states = make_states(terminals, at=at, chance=chance)
        make_changes(states, at=at, chance=chance)
        make_alerts(alerts, states, terminals, by=person, at=at, chance=chance)
    with connection.cursor() as cursor:
        # What autovacuum would have done in the first minutes of its life.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return f"{settings.SESSION_COOKIE_NAME}={sign_in(person)}"
