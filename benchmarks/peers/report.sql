-- A transaction of one statement: a BEGIN and a COMMIT around two would take four round trips.
WITH state AS (
  UPDATE terminal_state SET last_seen_at = now(), status = $4, metrics = $5 WHERE terminal_id = $1
)
INSERT INTO report (terminal_id, seq, at, status, metrics) VALUES ($1, $2, $3, $4, $5)
