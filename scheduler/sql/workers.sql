-- name: save_worker
INSERT INTO workers (worker, incarnation, version, bases_json, first_call_ms, last_call_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?5)
ON CONFLICT (worker) DO UPDATE SET incarnation = excluded.incarnation, version = excluded.version,
  bases_json = excluded.bases_json, last_call_ms = excluded.last_call_ms

-- name: save_last_call
UPDATE workers SET last_call_ms = ?2 WHERE worker = ?1

-- name: save_draining
UPDATE workers SET draining = ?2, drain_by_ms = ?3 WHERE worker = ?1

-- name: every_worker
SELECT worker, incarnation, version, bases_json, draining, last_call_ms, drain_by_ms FROM workers ORDER BY worker

-- name: forget_worker
DELETE FROM workers WHERE worker = ?1

-- name: forget_incarnations
DELETE FROM incarnations WHERE worker = ?1

-- name: knows_incarnation
SELECT EXISTS (SELECT 1 FROM incarnations WHERE worker = ?1 AND incarnation = ?2)

-- name: insert_incarnation
INSERT INTO incarnations (worker, incarnation) VALUES (?1, ?2)

-- name: forget_old_incarnations
DELETE FROM incarnations WHERE worker = ?1 AND number NOT IN (
  SELECT number FROM incarnations WHERE worker = ?1 ORDER BY number DESC LIMIT 32)

-- name: insert_event
INSERT INTO events (time_ms, job, domain, attempt, kind, actor, message)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)

-- name: events_after
SELECT event, time_ms, job, domain, attempt, kind, actor, message
FROM events WHERE event > ?1 AND (?2 = '' OR domain = ?2) ORDER BY event LIMIT ?3

-- name: events_of_job_after
SELECT event, time_ms, job, domain, attempt, kind, actor, message
FROM events WHERE event > ?1 AND job = ?2 ORDER BY event LIMIT ?3

-- name: newest_events
SELECT event, time_ms, job, domain, attempt, kind, actor, message
FROM events WHERE ?1 = '' OR domain = ?1 ORDER BY event DESC LIMIT ?2

-- name: newest_events_of_job
SELECT event, time_ms, job, domain, attempt, kind, actor, message
FROM events WHERE job = ?1 ORDER BY event DESC LIMIT ?2
