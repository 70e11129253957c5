-- What lets a job go on elsewhere, and when it has to.

-- Of each job that is under way, the newest checkpoint that a worker has brought.  Files are blobs.
CREATE TABLE job_checkpoints (
  job INTEGER PRIMARY KEY REFERENCES jobs (job),
  attempt INTEGER NOT NULL,                   -- that brought it
  step INTEGER NOT NULL
) STRICT;

CREATE TABLE job_checkpoint_files (
  job INTEGER NOT NULL REFERENCES job_checkpoints (job) ON DELETE CASCADE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_checkpoint_files_by_blob ON job_checkpoint_files (sha256);

-- A job that is over needs none.
CREATE TRIGGER jobs_over_have_no_checkpoint AFTER UPDATE OF state ON jobs
WHEN NEW.state IN ('succeeded', 'failed', 'cancelled')
BEGIN DELETE FROM job_checkpoints WHERE job = NEW.job; END;

-- How long an attempt may take, by the domain file.  0: no limit.
ALTER TABLE jobs ADD COLUMN time_limit_ms INTEGER NOT NULL DEFAULT 0;

-- When what a draining worker still runs is handed back.  0: never.
ALTER TABLE workers ADD COLUMN drain_by_ms INTEGER NOT NULL DEFAULT 0;

-- A checkpoint that is gone is gone without: the job begins anew.
DROP VIEW kept_blobs;
CREATE VIEW kept_blobs (sha256, size, kind, needed_by, now) AS
SELECT sha256, size, 'dataset',
  'dataset ' || name || ' of job ' || jobs.job || ' (' || domain || ')',
  state IN ('queued', 'running')
FROM job_datasets JOIN jobs ON jobs.job = job_datasets.job
WHERE state IN ('queued', 'running')
  OR EXISTS (SELECT 1 FROM domains WHERE domains.domain = jobs.domain AND latest_job = jobs.job)
  OR EXISTS (SELECT 1 FROM versions WHERE versions.job = jobs.job)
UNION ALL
SELECT sha256, size, 'base', 'file ' || path || ' of base ' || base, 1 FROM base_files
UNION ALL
SELECT sha256, size, 'checkpoint', 'the checkpoint of job ' || job, 0 FROM job_checkpoint_files;
