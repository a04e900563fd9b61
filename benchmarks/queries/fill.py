"""What queries find besides `benchmarks.fixture_fleet`. Written by the database itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from benchmarks.fleet_pages.fill import DEVICES, GROUPS, LARGE_SITE, MEMBERS, PLACEMENTS
from tms.alerts.maintenance.services import WindowScope, plan
from tms.fleet.models import Attribute, Site
from tms.lib.calendar.recurrence import Recurrence

FIRMWARE = "UPDATE fleet_terminal SET firmware = '4.' || id %% 13 || '.' || id %% 7"
TAGS = """
INSERT INTO fleet_terminaltag (terminal_id, name)
SELECT id, CASE WHEN n = 1 THEN 'pilot-' || id %% 50 ELSE 'lobby' END
FROM fleet_terminal, generate_series(1, 2) n WHERE n = 1 OR id %% 5 = 0
"""
SITE_TAGS = "INSERT INTO fleet_sitetag (site_id, name) SELECT id, 'airport' FROM fleet_site WHERE id %% 20 = 0"
FLOORS = """
INSERT INTO fleet_terminalattribute (terminal_id, attribute_id, text, number)
SELECT t.id, a.id, '', t.id %% 9 FROM fleet_terminal t, fleet_attribute a WHERE a.name = 'floor'
"""
HOURS = """
INSERT INTO fleet_openinghours (site_id, weekday, opens_at, closes_at)
SELECT id, day, '06:00', CASE WHEN id %% 2 = 0 THEN time '23:00' ELSE time '11:00' END
FROM fleet_site, generate_series(0, 6) day WHERE id %% 3 > 0
"""


def fill() -> dict[str, object]:
    """Returns what the queries name."""
    Attribute.objects.create(name="floor", label="Floor", type="number", subject="terminal")
    statements = (LARGE_SITE, DEVICES, PLACEMENTS, GROUPS, MEMBERS, FIRMWARE, TAGS, SITE_TAGS, FLOORS, HOURS)
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql, [])
    sites, at = list(Site.objects.order_by("pk")), datetime.now(UTC)
    begun = Recurrence(ZoneInfo("UTC"), at.replace(tzinfo=None) - timedelta(hours=1), timedelta(hours=5))
    plan(begun, WindowScope(sites=sites[:3]), note="new router", by=None, at=at)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT uid FROM fleet_terminal WHERE id %% 1000 = 7 LIMIT 1", [])
        uid = cursor.fetchone()[0]
    return {"site": sites[0].code, "large": sites[-1].code, "region": sites[0].region, "uid": uid}
