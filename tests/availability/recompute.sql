-- Availability of each terminal and month, computed from the exported evidence alone, for DuckDB.
-- $evidence is the path of the CSV.
WITH evidence AS (
    SELECT * FROM read_csv($evidence, header = true, all_varchar = true)
), spans AS (
    SELECT record, site, terminal, day, reason, since::BIGINT AS since, until::BIGINT AS until FROM evidence
), expected AS (
    -- Opening hours while the terminal was in service.
    SELECT s.site, s.terminal, s.day, greatest(s.since, o.since) AS since, least(s.until, o.until) AS until
    FROM spans AS s JOIN spans AS o ON o.record = 'open' AND o.site = s.site AND o.day = s.day
    WHERE s.record = 'service' AND greatest(s.since, o.since) < least(s.until, o.until)
), excluded AS (
    SELECT e.site, e.terminal, e.day, greatest(e.since, m.since) AS since, least(e.until, m.until) AS until
    FROM expected AS e JOIN spans AS m
        ON m.record = 'maintenance' AND m.site = e.site AND m.terminal = e.terminal AND m.day = e.day
    WHERE greatest(e.since, m.since) < least(e.until, m.until)
), away AS (
    SELECT e.site, e.terminal, a.reason, greatest(e.since, a.since) AS since, least(e.until, a.until) AS until
    FROM expected AS e JOIN spans AS a
        ON a.record = 'outage' AND a.site = e.site AND a.terminal = e.terminal AND a.day = e.day
    WHERE greatest(e.since, a.since) < least(e.until, a.until)
), away_in_maintenance AS (
    SELECT a.terminal, a.reason, greatest(a.since, x.since) AS since, least(a.until, x.until) AS until
    FROM away AS a JOIN excluded AS x ON x.site = a.site AND x.terminal = a.terminal
    WHERE greatest(a.since, x.since) < least(a.until, x.until)
), parts AS (
    SELECT terminal, 'counted' AS what, until - since AS seconds FROM expected
    UNION ALL SELECT terminal, 'counted', since - until FROM excluded
    UNION ALL SELECT terminal, 'excluded', until - since FROM excluded
    UNION ALL SELECT terminal, reason, until - since FROM away
    UNION ALL SELECT terminal, reason, since - until FROM away_in_maintenance
)
SELECT terminal, what, sum(seconds)::BIGINT AS seconds FROM parts GROUP BY terminal, what HAVING sum(seconds) <> 0
ORDER BY terminal, what
