-- The bases that the scheduler holds for its workers.  Each file is a blob.
CREATE TABLE bases (
  base TEXT NOT NULL PRIMARY KEY,             -- as on the hub
  digest TEXT NOT NULL,                       -- proto/base_manifest.h
  size_bytes INTEGER NOT NULL,
  revisions_json TEXT NOT NULL,
  added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE base_files (
  base TEXT NOT NULL REFERENCES bases (base) ON DELETE CASCADE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (base, path)
) STRICT, WITHOUT ROWID;

-- Written anew at each worker's next call, with sizes and digests.
UPDATE workers SET bases_json = '[]';
