-- What jobs need, so that they go where it is free.

-- The config.json of each base that a worker has told of.
CREATE TABLE base_configs (
  base TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,                       -- SHA-256 of config_json
  worker TEXT NOT NULL,                       -- who told it
  config_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Jobs of one shape want the same base and need the same memory.  When a plan changes, its shapes
-- do, never the jobs.
CREATE TABLE shapes (
  shape INTEGER PRIMARY KEY,
  base TEXT NOT NULL,
  base_key TEXT NOT NULL,
  settings TEXT NOT NULL,                     -- what decides about memory (scheduler/jobs/job_shape.h)
  settings_digest TEXT NOT NULL,
  stepped_down INTEGER NOT NULL,              -- 1: memory ran out in an earlier attempt
  config_digest TEXT NOT NULL DEFAULT '',     -- of the config.json it is planned with
  cpu_bytes INTEGER NOT NULL DEFAULT 0,       -- 0: no plan, and no bound
  gpu_bytes INTEGER NOT NULL DEFAULT 0,
  checkpoints INTEGER NOT NULL DEFAULT 0,     -- 1: so little only where layers run again in backward
  waiting INTEGER NOT NULL DEFAULT 0,         -- jobs that are queued and ready
  UNIQUE (base_key, settings_digest, stepped_down)
) STRICT;
CREATE INDEX shapes_waiting ON shapes (base_key) WHERE waiting > 0;
CREATE INDEX shapes_of_base ON shapes (base);

-- Jobs from before are planned when the scheduler starts; until then they wait under their base.
ALTER TABLE jobs ADD COLUMN shape INTEGER NOT NULL DEFAULT 0;
INSERT INTO shapes (base, base_key, settings, settings_digest, stepped_down, waiting)
SELECT base, base_key, '', '', 0, sum(state = 'queued' AND ready = 1) FROM jobs
WHERE state IN ('queued', 'running') GROUP BY base_key;
UPDATE jobs SET shape = (SELECT shape FROM shapes WHERE shapes.base_key = jobs.base_key)
WHERE state IN ('queued', 'running');

-- In claim order, one short range for each shape.
DROP INDEX jobs_claim;
CREATE INDEX jobs_claim ON jobs (shape, priority DESC, job) WHERE state = 'queued' AND ready = 1;

CREATE TRIGGER jobs_wait_in AFTER INSERT ON jobs WHEN NEW.state = 'queued' AND NEW.ready = 1
BEGIN UPDATE shapes SET waiting = waiting + 1 WHERE shape = NEW.shape; END;
CREATE TRIGGER jobs_wait_over AFTER UPDATE OF state, ready, shape ON jobs
BEGIN
  UPDATE shapes SET waiting = waiting - 1
  WHERE shape = OLD.shape AND OLD.state = 'queued' AND OLD.ready = 1;
  UPDATE shapes SET waiting = waiting + 1
  WHERE shape = NEW.shape AND NEW.state = 'queued' AND NEW.ready = 1;
END;

-- Where a leased job was placed, and what is kept free for it.
ALTER TABLE leases ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE leases ADD COLUMN memory_pool TEXT NOT NULL DEFAULT '';
ALTER TABLE leases ADD COLUMN reserved_bytes INTEGER NOT NULL DEFAULT 0;

-- Peaks of attempts that ended well, against their plans: the newest of each base and kind of device.
CREATE TABLE memory_observations (
  observation INTEGER PRIMARY KEY AUTOINCREMENT,
  base TEXT NOT NULL,
  device_kind TEXT NOT NULL,
  planned_bytes INTEGER NOT NULL,
  peak_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX memory_observations_of ON memory_observations (base, device_kind, observation);
