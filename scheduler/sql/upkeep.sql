-- Backup, restore and the doctor (backup.h, consistency_check.h).

-- name: schema_number
PRAGMA user_version

-- name: integrity
SELECT integrity_check FROM pragma_integrity_check(20) WHERE integrity_check <> 'ok'

-- name: quick_check
SELECT quick_check FROM pragma_quick_check(20) WHERE quick_check <> 'ok'

-- name: write_nothing_new
UPDATE scheduler SET incarnation = incarnation

-- name: broken_references
SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 20

-- name: contents
SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM versions WHERE state = 'published'),
  (SELECT count(*) FROM domains), (SELECT incarnation FROM scheduler)

-- name: leased_jobs
SELECT count(*) FROM leases

-- name: wrong_counts
SELECT state, jobs, (SELECT count(*) FROM jobs WHERE jobs.state = job_counts.state)
FROM job_counts WHERE jobs <> (SELECT count(*) FROM jobs WHERE jobs.state = job_counts.state)

-- name: running_without_attempt
SELECT job, domain FROM jobs WHERE state = 'running' AND NOT EXISTS (
  SELECT 1 FROM attempts WHERE attempts.job = jobs.job AND attempts.attempt = jobs.attempt
  AND attempts.state IN ('running', 'publishing'))

-- name: leases_without_attempt
SELECT leases.job, worker FROM leases WHERE NOT EXISTS (
  SELECT 1 FROM attempts WHERE attempts.job = leases.job AND attempts.attempt = leases.attempt
  AND attempts.worker = leases.worker AND attempts.state = 'running')

-- name: succeeded_without_version
SELECT job, domain FROM jobs WHERE state = 'succeeded'
  AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.job = jobs.job AND state = 'published')
  AND NOT EXISTS (SELECT 1 FROM removed_versions WHERE removed_versions.job = jobs.job)

-- name: numbers_behind
SELECT versions.domain, max(number), coalesce(last, 0)
FROM versions LEFT JOIN version_numbers ON version_numbers.domain = versions.domain
GROUP BY versions.domain HAVING max(number) > coalesce(last, 0)

-- name: newest_event_time
SELECT max(time_ms) FROM (SELECT time_ms FROM events ORDER BY event DESC LIMIT 1000)

-- name: removed_version
SELECT files_gone FROM removed_versions WHERE domain = ?1 AND number = ?2

-- name: blobs_needed_now
SELECT sha256, size, needed_by, kind FROM kept_blobs WHERE now

-- name: files_of_published_versions
SELECT domain, number, path, size FROM version_files JOIN versions USING (domain, number)
WHERE state = 'published' ORDER BY domain, number, path

-- name: blobs_worth_keeping
SELECT sha256, size, needed_by FROM kept_blobs
