-- name: next_number
SELECT coalesce((SELECT last FROM version_numbers WHERE domain = ?1), 0) + 1

-- name: take_number
INSERT INTO version_numbers (domain, last) VALUES (?1, ?2)
ON CONFLICT (domain) DO UPDATE SET last = excluded.last WHERE excluded.last > last

-- name: insert_version
INSERT INTO versions (domain, number, state, job, attempt, base, base_digest, spec_digest,
  dataset_digest, code_version, metrics_json, published_at_ms, size_bytes)
VALUES (?1, ?2, 'publishing', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)

-- name: insert_file
INSERT INTO version_files (domain, number, path, sha256, size) VALUES (?1, ?2, ?3, ?4, ?5)

-- name: mark_published
UPDATE versions SET state = 'published' WHERE domain = ?1 AND number = ?2 AND state = 'publishing'

-- name: drop_unfinished
DELETE FROM versions WHERE domain = ?1 AND number = ?2 AND state = 'publishing'

-- name: drop_files
DELETE FROM version_files WHERE domain = ?1 AND number = ?2

-- name: point_latest
INSERT INTO aliases (domain, alias, number) VALUES (?1, 'latest', ?2)
ON CONFLICT (domain, alias) DO UPDATE SET number = excluded.number WHERE excluded.number > number

-- name: point_alias
INSERT INTO aliases (domain, alias, number) VALUES (?1, ?2, ?3)
ON CONFLICT (domain, alias) DO UPDATE SET number = excluded.number

-- name: remove_alias
DELETE FROM aliases WHERE domain = ?1 AND alias = ?2

-- name: alias_number
SELECT number FROM aliases WHERE domain = ?1 AND alias = ?2

-- name: aliases_of
SELECT alias FROM aliases WHERE domain = ?1 AND number = ?2 ORDER BY alias

-- name: every_alias
SELECT domain, alias, number FROM aliases ORDER BY domain, alias

-- name: version
SELECT domain, number, job, attempt, base, base_digest, spec_digest, dataset_digest, code_version,
  metrics_json, published_at_ms, size_bytes
FROM versions WHERE domain = ?1 AND number = ?2 AND state = 'published'

-- name: versions_of_domain
SELECT domain, number, job, attempt, base, base_digest, spec_digest, dataset_digest, code_version,
  metrics_json, published_at_ms, size_bytes
FROM versions WHERE domain = ?1 AND state = 'published' ORDER BY number

-- name: every_version
SELECT domain, number, job, attempt, base, base_digest, spec_digest, dataset_digest, code_version,
  metrics_json, published_at_ms, size_bytes
FROM versions WHERE state = 'published' ORDER BY domain, number

-- name: unfinished_versions
SELECT domain, number, job, attempt, base, base_digest, spec_digest, dataset_digest, code_version,
  metrics_json, published_at_ms, size_bytes
FROM versions WHERE state = 'publishing' ORDER BY domain, number

-- name: files_of
SELECT path, sha256, size FROM version_files WHERE domain = ?1 AND number = ?2 ORDER BY path

-- name: version_of_job
SELECT number FROM versions WHERE job = ?1 AND state = 'published'
