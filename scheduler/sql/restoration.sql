-- name: incarnation
SELECT incarnation FROM scheduler

-- The time as well as the number: a backup may be restored twice.
-- name: begin_incarnation
UPDATE scheduler SET incarnation = max(incarnation + 1, ?1)

-- name: end_every_leased_attempt
UPDATE attempts
SET state = iif((SELECT cancel_requested FROM jobs WHERE jobs.job = attempts.job), 'cancelled',
    'lost'), class = 'lost', ended_ms = ?1, message = ?2
WHERE (job, attempt) IN (SELECT job, attempt FROM leases)

-- name: record_every_leased_job
INSERT INTO events (time_ms, job, domain, attempt, kind, actor, message)
SELECT ?1, jobs.job, domain, jobs.attempt,
  iif(cancel_requested, 'cancelled', 'lease_lost, requeued'), 'scheduler', ?2
FROM jobs JOIN leases ON leases.job = jobs.job ORDER BY jobs.job

-- name: cancel_leased_jobs
UPDATE jobs SET state = 'cancelled', finished_ms = ?1
WHERE job IN (SELECT job FROM leases) AND cancel_requested = 1

-- name: requeue_leased_jobs
UPDATE jobs SET state = 'queued', ready = 1, not_before_ms = 0, queued_ms = ?1,
  disturbances = disturbances + 1, failure_class = 'lost', reason = ?2
WHERE job IN (SELECT job FROM leases) AND cancel_requested = 0

-- name: end_every_lease
DELETE FROM leases

-- Until there is a first job, SQLite has no row that counts them.
-- name: count_job_numbers
INSERT INTO sqlite_sequence (name, seq)
SELECT 'jobs', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')

-- name: use_up_job_numbers
UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'jobs' AND seq < ?1

-- name: last_attempt_of_job
SELECT attempt FROM jobs WHERE job = ?1
