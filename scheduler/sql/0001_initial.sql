-- Jobs, attempts, leases, events and versions.  Times are milliseconds since 1970 UTC.

-- What a claim reads is here; what only people read is in job_details.
CREATE TABLE jobs (
  job INTEGER PRIMARY KEY AUTOINCREMENT,      -- also the order of the queue
  domain TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  base TEXT NOT NULL,
  base_key TEXT NOT NULL,                     -- base, or base@revision: what a worker must offer
  priority INTEGER NOT NULL,
  ready INTEGER NOT NULL,                     -- 0: backs off until not_before_ms
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,         -- the latest; the fencing token
  failures INTEGER NOT NULL DEFAULT 0,        -- those that count against the limit
  disturbances INTEGER NOT NULL DEFAULT 0,    -- infrastructure failures and lost leases
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  failure_class TEXT NOT NULL DEFAULT '',     -- of the last attempt that failed
  reason TEXT NOT NULL DEFAULT '',
  retry_of INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,
  spec_digest TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  queued_ms INTEGER NOT NULL,                 -- when it last became claimable
  started_ms INTEGER NOT NULL DEFAULT 0,
  finished_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- In claim order, one short range for each base.
CREATE INDEX jobs_claim ON jobs (base_key, priority DESC, job) WHERE state = 'queued' AND ready = 1;
CREATE INDEX jobs_backing_off ON jobs (not_before_ms) WHERE state = 'queued' AND ready = 0;
CREATE INDEX jobs_running ON jobs (job) WHERE state = 'running';
CREATE INDEX jobs_domain ON jobs (domain, job);

CREATE TRIGGER jobs_terminal_states_never_change BEFORE UPDATE OF state, version ON jobs
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a terminal state never changes'); END;

CREATE TRIGGER jobs_attempts_only_grow BEFORE UPDATE OF attempt ON jobs
WHEN NEW.attempt < OLD.attempt
BEGIN SELECT RAISE(ABORT, 'attempt numbers only grow'); END;

CREATE TABLE job_counts (
  state TEXT NOT NULL PRIMARY KEY,
  jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO job_counts (state, jobs)
VALUES ('queued', 0), ('running', 0), ('succeeded', 0), ('failed', 0), ('cancelled', 0);

CREATE TRIGGER jobs_counted_in AFTER INSERT ON jobs
BEGIN UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state; END;
CREATE TRIGGER jobs_counted_over AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TABLE job_details (
  job INTEGER PRIMARY KEY REFERENCES jobs (job),
  spec_json TEXT NOT NULL,
  pinned_json TEXT NOT NULL DEFAULT ''        -- what the first attempt chose by measurement
) STRICT;

CREATE TABLE job_datasets (
  job INTEGER NOT NULL REFERENCES jobs (job),
  position INTEGER NOT NULL,
  role INTEGER NOT NULL,                      -- mozgach.v1.Dataset.Role
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_datasets_by_blob ON job_datasets (sha256);

CREATE TABLE domains (
  domain TEXT NOT NULL PRIMARY KEY,
  latest_job INTEGER NOT NULL REFERENCES jobs (job)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  job INTEGER NOT NULL REFERENCES jobs (job),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  device TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('running', 'publishing', 'succeeded', 'failed', 'lost',
                                       'stopped', 'cancelled')),
  class TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL DEFAULT 0,
  phase TEXT NOT NULL DEFAULT '',
  step INTEGER NOT NULL DEFAULT 0,
  steps INTEGER NOT NULL DEFAULT 0,
  loss REAL,
  tokens_per_second REAL NOT NULL DEFAULT 0,
  memory_peak_bytes INTEGER NOT NULL DEFAULT 0,
  train_rows INTEGER NOT NULL DEFAULT 0,
  train_seconds REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

-- Who may write for which running job.  When a lease ends is not stored: it is measured on a
-- monotonic clock, and a scheduler that starts gives every lease its whole length again.
CREATE TABLE leases (
  job INTEGER PRIMARY KEY REFERENCES jobs (job),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  granted_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE workers (
  worker TEXT NOT NULL PRIMARY KEY,
  incarnation TEXT NOT NULL,
  version TEXT NOT NULL,
  bases_json TEXT NOT NULL,
  draining INTEGER NOT NULL DEFAULT 0,
  first_call_ms INTEGER NOT NULL,
  last_call_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every start of a worker; the largest number is the one that counts.
CREATE TABLE incarnations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  worker TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  UNIQUE (worker, incarnation)
) STRICT;

CREATE TABLE events (
  event INTEGER PRIMARY KEY AUTOINCREMENT,
  time_ms INTEGER NOT NULL,
  job INTEGER NOT NULL,
  domain TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_job ON events (job, event);

CREATE TRIGGER events_are_not_edited BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is only appended to'); END;

-- The registry (registry/version_rows.h).
CREATE TABLE version_numbers (
  domain TEXT NOT NULL PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
  domain TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('publishing', 'published')),
  job INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  base TEXT NOT NULL,
  base_digest TEXT NOT NULL,
  spec_digest TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  code_version TEXT NOT NULL,
  metrics_json TEXT NOT NULL,
  published_at_ms INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  PRIMARY KEY (domain, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX versions_one_for_each_job ON versions (job);
CREATE INDEX versions_unfinished ON versions (domain, number) WHERE state = 'publishing';

CREATE TABLE version_files (
  domain TEXT NOT NULL,
  number INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (domain, number, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  domain TEXT NOT NULL,
  alias TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (domain, alias)
) STRICT, WITHOUT ROWID;
