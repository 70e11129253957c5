-- SQLite answers `x IN (three words or more)` with a table that it makes each time it is asked: that was
-- most of what a small change of a job cost.  The same rules, as comparisons.

DROP TRIGGER jobs_terminal_states_never_change;
CREATE TRIGGER jobs_terminal_states_never_change BEFORE UPDATE OF state, version ON jobs
WHEN OLD.state = 'succeeded' OR OLD.state = 'failed' OR OLD.state = 'cancelled'
BEGIN SELECT RAISE(ABORT, 'a terminal state never changes'); END;

DROP TRIGGER jobs_over_have_no_checkpoint;
CREATE TRIGGER jobs_over_have_no_checkpoint AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'succeeded' OR NEW.state = 'failed' OR NEW.state = 'cancelled'
BEGIN DELETE FROM job_checkpoints WHERE job = NEW.job; END;

-- Time limits count from when an attempt is first heard to train, not from when it was leased: it may wait
-- on its worker for the job before it.  0: not yet.
ALTER TABLE leases RENAME COLUMN granted_ms TO trains_since_ms;

-- A CHECK cannot be altered; www.sqlite.org/lang_altertable.html says of this way that it is for
-- changes which do not touch what lies on the disk.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
  'CHECK (state IN (''queued'', ''running'', ''succeeded'', ''failed'', ''cancelled''))',
  'CHECK (state = ''queued'' OR state = ''running'' OR state = ''succeeded'' OR state = ''failed'' OR
    state = ''cancelled'')')
WHERE type = 'table' AND name = 'jobs';
UPDATE sqlite_schema SET sql = replace(sql,
  'CHECK (state IN (''running'', ''publishing'', ''succeeded'', ''failed'', ''lost'',
                                       ''stopped'', ''cancelled''))',
  'CHECK (state = ''running'' OR state = ''publishing'' OR state = ''succeeded'' OR
    state = ''failed'' OR state = ''lost'' OR state = ''stopped'' OR state = ''cancelled'')')
WHERE type = 'table' AND name = 'attempts';
PRAGMA writable_schema = RESET;
