-- Who may call (scheduler/access/token_store.h).  Of a token its SHA-256 only.
CREATE TABLE tokens (
  name TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'submitter', 'operator', 'worker')),
  sha256 TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_ms INTEGER NOT NULL                 -- 0: never
) STRICT, WITHOUT ROWID;

-- What was issued to a name until then opens nothing.
CREATE TABLE revocations (
  name TEXT NOT NULL PRIMARY KEY,
  before_ms INTEGER NOT NULL,
  revoked_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is only appended to'); END;
