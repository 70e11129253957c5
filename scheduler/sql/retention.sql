-- What nobody needs (retention.h).  Each statement looks at a short range, so that nobody waits.

-- While a submission is written in parts, its datasets are named nowhere yet: every blob stays.
-- name: blob_is_needed
SELECT EXISTS (SELECT 1 FROM kept_blobs WHERE sha256 = ?1) OR EXISTS (SELECT 1 FROM submissions)

-- name: domains_with_versions
SELECT domain FROM version_numbers WHERE domain > ?1 ORDER BY domain LIMIT ?2

-- All but the newest ?2 of a domain, without those that an alias points at or its latest job made.
-- name: superseded_versions
SELECT number, job, attempt, size_bytes FROM versions
WHERE domain = ?1 AND state = 'published'
  AND number < (SELECT number FROM versions WHERE domain = ?1 AND state = 'published'
                ORDER BY number DESC LIMIT 1 OFFSET ?2 - 1)
  AND NOT EXISTS (SELECT 1 FROM aliases
                  WHERE aliases.domain = ?1 AND aliases.number = versions.number)
  AND NOT EXISTS (SELECT 1 FROM domains
                  WHERE domains.domain = ?1 AND latest_job = versions.job)
ORDER BY number LIMIT ?3

-- name: remember_removed_version
INSERT INTO removed_versions (domain, number, job, attempt, removed_ms) VALUES (?1, ?2, ?3, ?4, ?5)

-- name: remove_version_files
DELETE FROM version_files WHERE domain = ?1 AND number = ?2

-- name: remove_version
DELETE FROM versions WHERE domain = ?1 AND number = ?2 AND state = 'published'

-- name: versions_being_removed
SELECT domain, number, job, attempt FROM removed_versions WHERE files_gone = 0
ORDER BY domain, number

-- name: note_files_gone
UPDATE removed_versions SET files_gone = 1 WHERE domain = ?1 AND number = ?2

-- name: last_job
SELECT coalesce(max(job), 0) FROM jobs

-- name: old_jobs
SELECT job, domain, state, finished_ms FROM jobs
WHERE job > ?1 AND job <= ?2 AND state IN ('succeeded', 'failed', 'cancelled') AND finished_ms < ?3
  AND NOT EXISTS (SELECT 1 FROM domains WHERE domains.domain = jobs.domain AND latest_job = jobs.job)
  AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.job = jobs.job)
ORDER BY job

-- name: remove_job_details
DELETE FROM job_details WHERE job = ?1

-- name: remove_job_datasets
DELETE FROM job_datasets WHERE job = ?1

-- name: remove_attempts
DELETE FROM attempts WHERE job = ?1

-- name: remove_job
DELETE FROM jobs WHERE job = ?1

-- name: event_range
SELECT coalesce(min(event), 0), coalesce(max(event), 0) FROM events

-- Those of jobs that are not over, or were not by then, stay: what happened to a job stays whole.
-- name: old_events
SELECT min(time_ms), count(*) FILTER (WHERE time_ms < ?3 AND NOT EXISTS (
  SELECT 1 FROM jobs WHERE jobs.job = events.job
  AND (state IN ('queued', 'running') OR finished_ms >= ?3)))
FROM events WHERE event > ?1 AND event <= ?2

-- name: allow_old_events_to_go
UPDATE retention SET events_before_ms = ?1

-- name: remove_old_events
DELETE FROM events
WHERE event > ?1 AND event <= ?2 AND time_ms < ?3
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.job = events.job
                  AND (state IN ('queued', 'running') OR finished_ms >= ?3))

-- name: log_is_needed
SELECT EXISTS (SELECT 1 FROM jobs WHERE job = ?1 AND (
  state IN ('queued', 'running') OR finished_ms >= ?2
  OR EXISTS (SELECT 1 FROM domains WHERE domains.domain = jobs.domain AND latest_job = jobs.job)))
