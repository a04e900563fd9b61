"""A year of history for a fleet: changes of presence, outages, alerts, incidents. Written by the database itself."""

from datetime import datetime

from django.db import connection

from benchmarks.replay.plan import ReplayPlan

FLEET_IS_OLDER = "UPDATE fleet_terminal SET created_at = %(at)s - interval '1 day' * (%(days)s + 1)"

LOSSES = """
CREATE TEMP TABLE loss AS
SELECT t.id AS terminal_id, %(at)s - interval '1 day' * (day + random()) AS at, 5 + random() * 600 AS length_s
FROM fleet_terminal t, generate_series(1, %(days)s) AS day WHERE random() < %(losses)s
"""
"""One a terminal and day at most, before the last day, which the fleet has already."""

CHANGES = """
INSERT INTO fleet_presencechange (terminal_id, at, presence, before, cause, session)
SELECT terminal_id, at + interval '1 s' * CASE WHEN step = 2 THEN length_s ELSE 0 END,
    CASE WHEN step = 2 THEN 'online' ELSE 'silent' END, CASE WHEN step = 2 THEN 'silent' ELSE 'online' END,
    CASE WHEN step = 2 THEN '' ELSE 'connection_lost' END, 1
FROM loss, generate_series(1, 2) AS step ORDER BY 2
"""

OUTAGES = """
INSERT INTO fleet_outage (terminal_id, began_at, ended_at, cause, lost_by, node, boot_id, seq, reports_sent)
SELECT terminal_id, at, at + interval '1 s' * length_s, 'network', 'connection_lost', '', '', 0, 0 FROM loss ORDER BY at
"""

ALERTS = """
CREATE TEMP TABLE made AS
SELECT t.id AS terminal_id, r.id AS rule_id, r.severity, at, at + interval '1 s' * (60 + random() * 7200) AS resolved_at
FROM (
    SELECT (SELECT min(id) FROM fleet_terminal) + floor(random() * %(terminals)s)::bigint AS terminal_id,
        %(at)s - interval '1 day' * (1 + random() * (%(days)s - 1)) AS at
    FROM generate_series(1, %(alerts)s)
) AS chosen JOIN fleet_terminal t ON t.id = chosen.terminal_id
JOIN LATERAL (SELECT id, severity FROM alerts_rule ORDER BY (id + t.id) %% 5, id LIMIT 1) AS r ON true
"""

ALERT_ROWS = """
INSERT INTO alerts_alert (rule_id, terminal_id, severity, state, opened_at, changed_at, resolved_at, comment, contract,
    version, is_stale, suppressed_at_open)
SELECT rule_id, terminal_id, severity, 'resolved', at, resolved_at, resolved_at, '', '', 3, false, '' FROM made
ORDER BY at
"""

TRANSITIONS = """
INSERT INTO alerts_transition (alert_id, kind, at, by_id, comment, severity, before, contract, dispatched_at)
SELECT a.id, kind, CASE kind WHEN 'opened' THEN a.opened_at WHEN 'resolved' THEN a.resolved_at
    ELSE a.opened_at + (a.resolved_at - a.opened_at) * 0.3 END,
    CASE kind WHEN 'acknowledged' THEN %(person)s END, '', a.severity, '',
    CASE kind WHEN 'acknowledged' THEN 'recovery' ELSE '' END, a.resolved_at
FROM alerts_alert a, unnest(ARRAY['opened', 'acknowledged', 'resolved']) AS kind
WHERE a.resolved_at IS NOT NULL AND a.opened_at < %(at)s - interval '1 day'
ORDER BY 3
"""

INCIDENTS = """
INSERT INTO alerts_incident (factor, key, site_id, severity, state, opened_at, changed_at, version, size, lost,
    joined_count, resolved_count, unchanged_since, common_factor, common_name, common_count, contract, comment,
    resolved_at, site_count)
SELECT 'site', s.id::text, s.id, 'critical', 'resolved', at, at + interval '1 hour', 3, 100, 50, 50, 50, at, '', '', 0,
    '', '', at + interval '1 hour', 0
FROM (
    SELECT %(at)s - interval '1 day' * (1 + random() * (%(days)s - 1)) AS at, random() AS which
    FROM generate_series(1, %(incidents)s)
) AS chosen JOIN LATERAL (
    SELECT id FROM fleet_site ORDER BY id OFFSET floor(which * (SELECT count(*) FROM fleet_site))::int LIMIT 1
) AS s ON true
"""

INCIDENT_TRANSITIONS = """
INSERT INTO alerts_incidenttransition (incident_id, kind, at, comment, number, open_count, severity, contract,
    dispatched_at)
SELECT i.id, kind, CASE kind WHEN 'opened' THEN opened_at ELSE resolved_at END, '', 50, 0, severity, '', resolved_at
FROM alerts_incident i, unnest(ARRAY['opened', 'resolved']) AS kind WHERE resolved_at IS NOT NULL
"""


def write(plan: ReplayPlan, *, at: datetime, person: int) -> None:
    values = {
        "at": at,
        "days": plan.days,
        "losses": plan.losses_per_day,
        "terminals": plan.terminals,
        "alerts": plan.alerts_per_day * plan.days,
        "incidents": plan.incidents_per_day * plan.days,
        "person": person,
    }
    with connection.cursor() as cursor:
        for sql in (
            *(FLEET_IS_OLDER, LOSSES, CHANGES, OUTAGES, ALERTS, ALERT_ROWS, TRANSITIONS),
            *(INCIDENTS, INCIDENT_TRANSITIONS),
        ):
            cursor.execute(sql, values)
        cursor.execute("VACUUM ANALYZE")
