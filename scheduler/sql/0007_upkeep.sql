-- What goes by rule (scheduler/upkeep/retention.h), and what stays whoever asks.

-- Events from before this time may be deleted.  It is 0 but inside the transaction in which
-- retention deletes, which sets it and sets it back: what the configuration says, and no call.
CREATE TABLE retention (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  events_before_ms INTEGER NOT NULL
) STRICT;
INSERT INTO retention (one, events_before_ms) VALUES (1, 0);

DROP TRIGGER events_are_not_deleted;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
WHEN OLD.time_ms >= coalesce((SELECT events_before_ms FROM retention), 0)
BEGIN SELECT RAISE(ABORT, 'the event log is only appended to'); END;

-- Versions that were published and have gone since.  Their numbers stay used up.
CREATE TABLE removed_versions (
  domain TEXT NOT NULL,
  number INTEGER NOT NULL,
  job INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  removed_ms INTEGER NOT NULL,
  files_gone INTEGER NOT NULL DEFAULT 0,      -- 1: its directory has gone as well
  PRIMARY KEY (domain, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_versions_of_job ON removed_versions (job);
CREATE INDEX removed_versions_unfinished ON removed_versions (domain, number) WHERE files_gone = 0;

CREATE TRIGGER versions_that_are_needed_stay BEFORE DELETE ON versions
WHEN OLD.state = 'published' AND (
  EXISTS (SELECT 1 FROM aliases WHERE domain = OLD.domain AND number = OLD.number)
  OR EXISTS (SELECT 1 FROM domains WHERE domain = OLD.domain AND latest_job = OLD.job))
BEGIN SELECT RAISE(ABORT, 'a version that is needed stays'); END;

CREATE TRIGGER jobs_that_are_needed_stay BEFORE DELETE ON jobs
WHEN OLD.state IN ('queued', 'running')
  OR EXISTS (SELECT 1 FROM domains WHERE domain = OLD.domain AND latest_job = OLD.job)
  OR EXISTS (SELECT 1 FROM versions WHERE job = OLD.job)
BEGIN SELECT RAISE(ABORT, 'a job that is needed stays'); END;

CREATE TRIGGER jobs_counted_out AFTER DELETE ON jobs
BEGIN UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state; END;

CREATE INDEX domains_by_job ON domains (latest_job);
CREATE INDEX base_files_by_blob ON base_files (sha256);

-- The blobs that stay, with what needs them.  `now`: it is missed at once if it is not there.  Who
-- makes blobs for something new makes this view anew.
CREATE VIEW kept_blobs (sha256, size, kind, needed_by, now) AS
SELECT sha256, size, 'dataset',
  'dataset ' || name || ' of job ' || jobs.job || ' (' || domain || ')',
  state IN ('queued', 'running')
FROM job_datasets JOIN jobs ON jobs.job = job_datasets.job
WHERE state IN ('queued', 'running')
  OR EXISTS (SELECT 1 FROM domains WHERE domains.domain = jobs.domain AND latest_job = jobs.job)
  OR EXISTS (SELECT 1 FROM versions WHERE versions.job = jobs.job)
UNION ALL
SELECT sha256, size, 'base', 'file ' || path || ' of base ' || base, 1 FROM base_files;
