-- A database of schema 4, by make.py.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE aliases (
  domain TEXT NOT NULL,
  alias TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (domain, alias)
) STRICT, WITHOUT ROWID;
INSERT INTO "aliases" VALUES('law','champion',1);
INSERT INTO "aliases" VALUES('law','latest',1);
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
  train_seconds REAL NOT NULL DEFAULT 0, memory_planned_bytes INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES(1,1,'alpha','cpu','failed','out_of_memory','',1700000001000,1700000002000,'',10,20,1.5,0.0,0,0,0.0,0);
INSERT INTO "attempts" VALUES(1,2,'alpha','cpu','succeeded','','',1700000001000,1700000009000,'',10,20,1.5,0.0,0,0,0.0,0);
INSERT INTO "attempts" VALUES(3,1,'alpha','cpu','running','','',1700000001000,0,'',10,20,1.5,0.0,0,0,0.0,0);
INSERT INTO "attempts" VALUES(4,1,'alpha','cpu','publishing','','',1700000001000,0,'',10,20,1.5,0.0,0,0,0.0,0);
INSERT INTO "attempts" VALUES(5,1,'alpha','cpu','failed','data','row 3: no text',1700000001000,1700000009000,'',10,20,1.5,0.0,0,0,0.0,0);
CREATE TABLE base_configs (
  base TEXT NOT NULL PRIMARY KEY,
  digest TEXT NOT NULL,                       -- SHA-256 of config_json
  worker TEXT NOT NULL,                       -- who told it
  config_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "base_configs" VALUES('mozgach/third','5495dbaddb9f65e1bb95464bcbbb276843fc2f1e9e207569922f619083e45671','alpha','{"model_type": "llama", "hidden_size": 64}');
CREATE TABLE base_files (
  base TEXT NOT NULL REFERENCES bases (base) ON DELETE CASCADE,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (base, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "base_files" VALUES('mozgach/other','config.json','5495dbaddb9f65e1bb95464bcbbb276843fc2f1e9e207569922f619083e45671',42);
CREATE TABLE bases (
  base TEXT NOT NULL PRIMARY KEY,             -- as on the hub
  digest TEXT NOT NULL,                       -- proto/base_manifest.h
  size_bytes INTEGER NOT NULL,
  revisions_json TEXT NOT NULL,
  added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "bases" VALUES('mozgach/other','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',42,'["main"]',1700000000000);
CREATE TABLE domains (
  domain TEXT NOT NULL PRIMARY KEY,
  latest_job INTEGER NOT NULL REFERENCES jobs (job)
) STRICT, WITHOUT ROWID;
INSERT INTO "domains" VALUES('art',5);
INSERT INTO "domains" VALUES('chess',6);
INSERT INTO "domains" VALUES('history',2);
INSERT INTO "domains" VALUES('law',1);
INSERT INTO "domains" VALUES('music',4);
INSERT INTO "domains" VALUES('opera',7);
INSERT INTO "domains" VALUES('tax',3);
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
INSERT INTO "events" VALUES(1,1700000000000,1,'law',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(2,1700000000000,1,'law',1,'claimed','alpha','');
INSERT INTO "events" VALUES(3,1700000000000,1,'law',1,'requeued','scheduler','');
INSERT INTO "events" VALUES(4,1700000000000,1,'law',2,'claimed','alpha','');
INSERT INTO "events" VALUES(5,1700000000000,1,'law',2,'published','scheduler','v0001');
INSERT INTO "events" VALUES(6,1700000000000,2,'history',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(7,1700000000000,3,'tax',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(8,1700000000000,3,'tax',1,'claimed','alpha','');
INSERT INTO "events" VALUES(9,1700000000000,4,'music',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(10,1700000000000,4,'music',1,'claimed','alpha','');
INSERT INTO "events" VALUES(11,1700000000000,5,'art',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(12,1700000000000,5,'art',1,'claimed','alpha','');
INSERT INTO "events" VALUES(13,1700000000000,5,'art',1,'failed','scheduler','row 3: no text');
INSERT INTO "events" VALUES(14,1700000000000,6,'chess',0,'submitted','ann@desk','new');
INSERT INTO "events" VALUES(15,1700000000000,6,'chess',0,'cancelled','ann@desk','');
INSERT INTO "events" VALUES(16,1700000000000,7,'opera',0,'submitted','ann@desk','new');
CREATE TABLE incarnations (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  worker TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  UNIQUE (worker, incarnation)
) STRICT;
INSERT INTO "incarnations" VALUES(1,'alpha','first');
CREATE TABLE job_counts (
  state TEXT NOT NULL PRIMARY KEY,
  jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "job_counts" VALUES('cancelled',1);
INSERT INTO "job_counts" VALUES('failed',1);
INSERT INTO "job_counts" VALUES('queued',2);
INSERT INTO "job_counts" VALUES('running',2);
INSERT INTO "job_counts" VALUES('succeeded',1);
CREATE TABLE job_datasets (
  job INTEGER NOT NULL REFERENCES jobs (job),
  position INTEGER NOT NULL,
  role INTEGER NOT NULL,                      -- mozgach.v1.Dataset.Role
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "job_datasets" VALUES(1,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(2,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(3,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(4,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(5,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(6,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
INSERT INTO "job_datasets" VALUES(7,0,1,'train.jsonl','bc51e9e65d79e1c90ba544ab2eae1044ccdf8c1af7a559ba375cba4276f7d99e',4);
CREATE TABLE job_details (
  job INTEGER PRIMARY KEY REFERENCES jobs (job),
  spec_json TEXT NOT NULL,
  pinned_json TEXT NOT NULL DEFAULT ''        -- what the first attempt chose by measurement
) STRICT;
INSERT INTO "job_details" VALUES(1,'{"domain": "law", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(2,'{"domain": "history", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(3,'{"domain": "tax", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(4,'{"domain": "music", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(5,'{"domain": "art", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(6,'{"domain": "chess", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
INSERT INTO "job_details" VALUES(7,'{"domain": "opera", "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}}','');
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
, shape INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES(1,'law','succeeded','mozgach/tiny','mozgach/tiny',50,1,0,2,0,0,0,'','',0,1,'spec of law','dataset of law',1700000000000,1700000000000,1700000001000,1700000009000,1);
INSERT INTO "jobs" VALUES(2,'history','queued','mozgach/tiny','mozgach/tiny',50,1,0,0,0,0,0,'','',0,0,'spec of history','dataset of history',1700000000000,1700000000000,0,0,1);
INSERT INTO "jobs" VALUES(3,'tax','running','mozgach/tiny','mozgach/tiny',50,1,0,1,0,0,0,'','',0,0,'spec of tax','dataset of tax',1700000000000,1700000000000,1700000001000,0,1);
INSERT INTO "jobs" VALUES(4,'music','running','mozgach/tiny','mozgach/tiny',50,1,0,1,0,0,0,'','',0,0,'spec of music','dataset of music',1700000000000,1700000000000,1700000001000,0,1);
INSERT INTO "jobs" VALUES(5,'art','failed','mozgach/tiny','mozgach/tiny',50,1,0,1,0,0,0,'data','row 3: no text',0,0,'spec of art','dataset of art',1700000000000,1700000000000,1700000001000,1700000009000,1);
INSERT INTO "jobs" VALUES(6,'chess','cancelled','mozgach/tiny','mozgach/tiny',50,1,0,0,0,0,0,'','cancelled by ann@desk',0,0,'spec of chess','dataset of chess',1700000000000,1700000000000,0,1700000009000,1);
INSERT INTO "jobs" VALUES(7,'opera','queued','mozgach/tiny','mozgach/tiny',50,0,1700000005000,0,0,1,0,'','',6,0,'spec of opera','dataset of opera',1700000000000,1700000000000,0,0,1);
CREATE TABLE leases (
  job INTEGER PRIMARY KEY REFERENCES jobs (job),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  granted_ms INTEGER NOT NULL
, device TEXT NOT NULL DEFAULT '', memory_pool TEXT NOT NULL DEFAULT '', reserved_bytes INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "leases" VALUES(3,1,'alpha','first',1700000001000,'cpu','host',100);
CREATE TABLE memory_observations (
  observation INTEGER PRIMARY KEY AUTOINCREMENT,
  base TEXT NOT NULL,
  device_kind TEXT NOT NULL,
  planned_bytes INTEGER NOT NULL,
  peak_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO "memory_observations" VALUES(1,'mozgach/tiny','cpu',1000,1100);
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
INSERT INTO "shapes" VALUES(1,'mozgach/tiny','mozgach/tiny','','',0,'',0,0,0,1);
CREATE TABLE version_files (
  domain TEXT NOT NULL,
  number INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (domain, number, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "version_files" VALUES('law',1,'adapter_config.json','fd66c57ec3933dd396b22ffd2c904bdbe96a4477c250382ee6265e2d7921fdd8',8);
INSERT INTO "version_files" VALUES('law',1,'adapter_model.safetensors','26cc73f9fbf623d9a49bbf3f3d88f70195f2de68d7f25b5161f6700e6644cf44',7);
INSERT INTO "version_files" VALUES('law',1,'manifest.json','a3a3fd80956aa75f9c77c30ceaec14455f4f82d2149f5825683d1c9786c45be7',698);
INSERT INTO "version_files" VALUES('law',1,'metrics.json','d0b3ab294a9ace63732032e404eac50701d49eb5a924dfa93a42c30857c41e85',44);
INSERT INTO "version_files" VALUES('music',1,'adapter_model.safetensors','76f75e6129fe30135bd44d80ab7cc46fdba81907758dc808f3e2517beef2b1e9',4);
CREATE TABLE version_numbers (
  domain TEXT NOT NULL PRIMARY KEY,
  last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "version_numbers" VALUES('law',1);
INSERT INTO "version_numbers" VALUES('music',1);
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
INSERT INTO "versions" VALUES('law',1,'published',1,2,'mozgach/tiny','base-digest','spec of law','dataset of law','0.1.0','{"adapter": {"eval_loss": 1.0}}',1700000000000,757);
INSERT INTO "versions" VALUES('music',1,'publishing',4,1,'mozgach/tiny','base-digest','spec of music','dataset of music','0.1.0','{"adapter": {"eval_loss": 1.0}}',1700000000000,7);
CREATE TABLE workers (
  worker TEXT NOT NULL PRIMARY KEY,
  incarnation TEXT NOT NULL,
  version TEXT NOT NULL,
  bases_json TEXT NOT NULL,
  draining INTEGER NOT NULL DEFAULT 0,
  first_call_ms INTEGER NOT NULL,
  last_call_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "workers" VALUES('alpha','first','0.1.0','[]',0,1700000000000,1700000005000);
CREATE INDEX jobs_backing_off ON jobs (not_before_ms) WHERE state = 'queued' AND ready = 0;
CREATE INDEX jobs_running ON jobs (job) WHERE state = 'running';
CREATE INDEX jobs_domain ON jobs (domain, job);
CREATE TRIGGER jobs_terminal_states_never_change BEFORE UPDATE OF state, version ON jobs
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a terminal state never changes'); END;
CREATE TRIGGER jobs_attempts_only_grow BEFORE UPDATE OF attempt ON jobs
WHEN NEW.attempt < OLD.attempt
BEGIN SELECT RAISE(ABORT, 'attempt numbers only grow'); END;
CREATE TRIGGER jobs_counted_in AFTER INSERT ON jobs
BEGIN UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state; END;
CREATE TRIGGER jobs_counted_over AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;
CREATE INDEX job_datasets_by_blob ON job_datasets (sha256);
CREATE INDEX events_of_job ON events (job, event);
CREATE TRIGGER events_are_not_edited BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the event log is only appended to'); END;
CREATE UNIQUE INDEX versions_one_for_each_job ON versions (job);
CREATE INDEX versions_unfinished ON versions (domain, number) WHERE state = 'publishing';
CREATE INDEX shapes_waiting ON shapes (base_key) WHERE waiting > 0;
CREATE INDEX shapes_of_base ON shapes (base);
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
CREATE INDEX memory_observations_of ON memory_observations (base, device_kind, observation);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',7);
INSERT INTO "sqlite_sequence" VALUES('events',16);
INSERT INTO "sqlite_sequence" VALUES('incarnations',1);
INSERT INTO "sqlite_sequence" VALUES('memory_observations',1);
COMMIT;
PRAGMA user_version = 4;
PRAGMA foreign_keys = ON;
