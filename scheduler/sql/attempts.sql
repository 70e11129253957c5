-- name: insert_attempt
INSERT INTO attempts (job, attempt, worker, state, started_ms) VALUES (?1, ?2, ?3, 'running', ?4)

-- name: attempt
SELECT job, attempt, worker, device, state, class, message, started_ms, ended_ms, phase, step,
  steps, loss, tokens_per_second, memory_peak_bytes, train_rows, train_seconds,
  memory_planned_bytes, step_loss, eval_loss
FROM attempts WHERE job = ?1 AND attempt = ?2

-- name: attempts_of_job
SELECT job, attempt, worker, device, state, class, message, started_ms, ended_ms, phase, step,
  steps, loss, tokens_per_second, memory_peak_bytes, train_rows, train_seconds,
  memory_planned_bytes, step_loss, eval_loss
FROM attempts WHERE job = ?1 ORDER BY attempt

-- name: end_attempt
UPDATE attempts SET state = ?3, ended_ms = ?4, class = ?5, message = ?6
WHERE job = ?1 AND attempt = ?2 AND state = ?7

-- name: begin_publishing
UPDATE attempts SET state = 'publishing', train_rows = ?3, train_seconds = ?4
WHERE job = ?1 AND attempt = ?2 AND state = 'running'

-- name: record_progress
UPDATE attempts SET device = ?3, phase = ?4, step = ?5, steps = ?6, loss = ?7,
  tokens_per_second = ?8, memory_peak_bytes = ?9, memory_planned_bytes = ?10,
  step_loss = ?11, eval_loss = ?12
WHERE job = ?1 AND attempt = ?2

-- name: insert_lease
INSERT INTO leases (job, attempt, worker, incarnation, trains_since_ms, device, memory_pool,
  reserved_bytes)
VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)

-- name: start_clock
UPDATE leases SET trains_since_ms = ?3 WHERE job = ?1 AND attempt = ?2

-- name: hand_over_lease
UPDATE leases SET incarnation = ?3 WHERE job = ?1 AND attempt = ?2

-- name: end_lease
DELETE FROM leases WHERE job = ?1 AND attempt = ?2

-- name: every_lease
SELECT leases.job, leases.attempt, worker, incarnation, cancel_requested, device,
  memory_pool, reserved_bytes, trains_since_ms, time_limit_ms
FROM leases JOIN jobs ON jobs.job = leases.job ORDER BY leases.job
