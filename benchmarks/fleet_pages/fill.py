"""What the pages of a large fleet need besides `benchmarks.fixture_fleet`. Written by the database itself."""

from datetime import UTC, datetime

from django.db import connection

from tms.accounts.models import User
from tms.fleet.models import Site
from tms.transfer.kinds.registry import KINDS
from tms.transfer.planning import PART, check_file

LARGE_SITE = "UPDATE fleet_terminal SET site_id = (SELECT max(id) FROM fleet_site) WHERE id %% 25 = 0"
"""One terminal in 25 is at one site: 2,000 of 50,000."""
DEVICES = """
INSERT INTO fleet_device (serial, manufacturer, model, state, site_id, note, created_at)
SELECT serial, 'Maker', model, 'in_service', site_id, '', created_at FROM fleet_terminal
"""
SPARES = """
INSERT INTO fleet_device (serial, manufacturer, model, state, site_id, note, created_at)
SELECT 'SPARE-' || id, 'Maker', model, 'spare', site_id, '', created_at FROM fleet_terminal WHERE id %% 20 = 3
"""
PLACEMENTS = """
INSERT INTO fleet_placement (device_id, terminal_id, began_at)
SELECT d.id, t.id, t.created_at FROM fleet_terminal t JOIN fleet_device d ON d.serial = t.serial
"""
KEYS = """
UPDATE fleet_credential k SET device_id = p.device_id FROM fleet_placement p WHERE p.terminal_id = k.terminal_id
"""
HISTORY = """
INSERT INTO fleet_identitychange (terminal_id, at, field, before, after, source)
SELECT id, now() - interval '1 day' * n * 30, 'firmware', to_jsonb('1.' || n), to_jsonb('1.' || n + 1), 'boot'
FROM fleet_terminal, generate_series(1, 5) n
"""
GROUPS = "INSERT INTO fleet_group (name) SELECT 'Group ' || n FROM generate_series(1, 100) n"
MEMBERS = """
INSERT INTO fleet_group_terminals (group_id, terminal_id)
SELECT g.id, t.id FROM fleet_group g JOIN fleet_terminal t
    ON t.id %% 100 = g.id %% 100 OR (g.name = 'Group 1' AND t.id %% 10 = 0)
"""
"""500 members each, 5,000 of the first."""


def fill(terminals: int) -> dict[str, object]:
    """Returns what the paths of pages name."""
    with connection.cursor() as cursor:
        for sql in (LARGE_SITE, DEVICES, SPARES, PLACEMENTS, KEYS, HISTORY, GROUPS, MEMBERS):
            cursor.execute(sql, [])
        cursor.execute("SELECT min(id) FROM fleet_group WHERE name = 'Group 1'")
        group = cursor.fetchone()[0]
        cursor.execute("SELECT min(uid) FROM fleet_terminal WHERE id % 25 = 0")
        uid = cursor.fetchone()[0]
    person, site = User.objects.get(username="watcher"), Site.objects.order_by("-pk")[0]
    lines = (f"NEW-{n},{site.code},Lane {n}" for n in range(terminals))
    data = "\n".join(("uid,site,label", *lines)).encode()
    made = check_file(KINDS["terminals"], name="fleet.csv", data=data, by=person, at=datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {"uid": uid, "site": site.code, "group": group, "import": made.pk, "last": (terminals - 1) // PART}
