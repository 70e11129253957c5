-- name: insert_job
INSERT INTO jobs (domain, state, base, base_key, priority, ready, retry_of, spec_digest,
  dataset_digest, created_ms, queued_ms, shape, time_limit_ms)
VALUES (?1, 'queued', ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?8, ?9, ?10)

-- name: insert_details
INSERT INTO job_details (job, spec_json, notices_json, conversations) VALUES (?1, ?2, ?3, ?4)

-- name: insert_dataset
INSERT INTO job_datasets (job, position, role, name, sha256, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6)

-- name: point_domain
INSERT INTO domains (domain, latest_job) VALUES (?1, ?2)
ON CONFLICT (domain) DO UPDATE SET latest_job = excluded.latest_job

-- name: job
SELECT job, domain, state, base, base_key, priority, ready, not_before_ms, attempt, failures,
  disturbances, cancel_requested, failure_class, reason, retry_of, version, spec_digest,
  dataset_digest, created_ms, queued_ms, started_ms, finished_ms, shape,
  time_limit_ms
FROM jobs WHERE job = ?1

-- name: latest_job
SELECT latest_job FROM domains WHERE domain = ?1

-- name: latest_jobs
SELECT latest_job FROM domains ORDER BY domain

-- name: every_job
SELECT job FROM jobs ORDER BY job

-- name: running_jobs
SELECT job FROM jobs WHERE state = 'running' ORDER BY job

-- name: jobs_of_domain
SELECT job FROM jobs WHERE domain = ?1 ORDER BY job

-- name: datasets
SELECT role, name, sha256, size FROM job_datasets WHERE job = ?1 ORDER BY position

-- name: details
SELECT spec_json, pinned_json, notices_json, conversations FROM job_details WHERE job = ?1

-- name: update_spec
UPDATE job_details SET spec_json = ?2 WHERE job = ?1

-- name: update_notices
UPDATE job_details SET notices_json = ?2, conversations = ?3 WHERE job = ?1

-- name: update_terms
UPDATE jobs SET priority = ?2, time_limit_ms = ?3 WHERE job = ?1

-- name: pin
UPDATE job_details SET pinned_json = ?2 WHERE job = ?1

-- The head of each shape's range that fits the room a device has for its base.  They are a handful, in
-- no order: to sort, unite or return rows of an UPDATE, SQLite makes a table each time, which costs
-- more than all the rest.  ?1: a JSON object from base keys to room in bytes; ?2 1: the device is a CPU.
-- name: heads_waiting
SELECT head.job, head.priority, head.queued_ms, head.base_key,
  iif(?2, shapes.cpu_bytes, shapes.gpu_bytes)
FROM json_each(?1) AS offered
CROSS JOIN shapes ON shapes.base_key = offered.key AND shapes.waiting > 0
  AND iif(?2, shapes.cpu_bytes, shapes.gpu_bytes) <= offered.atom
CROSS JOIN jobs AS head ON head.job = (
  SELECT job FROM jobs
  WHERE state = 'queued' AND ready = 1 AND shape = shapes.shape
  ORDER BY priority DESC, job LIMIT 1)

-- name: claim
UPDATE jobs SET state = 'running', attempt = attempt + 1, started_ms = ?2, reason = ''
WHERE job = ?1 AND state = 'queued' AND ready = 1

-- name: wake_due
UPDATE jobs SET ready = 1, queued_ms = ?1
WHERE state = 'queued' AND ready = 0 AND (not_before_ms <= ?1 OR not_before_ms > ?2)
RETURNING job, base_key

-- name: next_due
SELECT min(not_before_ms) FROM jobs WHERE state = 'queued' AND ready = 0

-- name: requeue
UPDATE jobs
SET state = 'queued', ready = ?3, not_before_ms = ?4, queued_ms = ?5, failures = ?6,
  disturbances = ?7, failure_class = ?8, reason = ?9
WHERE job = ?1 AND attempt = ?2 AND state = 'running'

-- name: end_job
UPDATE jobs
SET state = ?3, finished_ms = ?4, failures = ?5, failure_class = ?6, reason = ?7, version = ?8
WHERE job = ?1 AND attempt = ?2 AND state = ?9

-- name: request_cancel
UPDATE jobs SET cancel_requested = 1, reason = ?2
WHERE job = ?1 AND state = 'running' AND cancel_requested = 0

-- name: job_counts
SELECT state, jobs FROM job_counts
