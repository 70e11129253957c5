-- What the reader of a submission noticed and did not reject: a JSON array of sentences, for people.
ALTER TABLE job_details ADD COLUMN notices_json TEXT NOT NULL DEFAULT '[]';
-- 1: at least one row is a conversation, so the base's chat template decides what is trained.
ALTER TABLE job_details ADD COLUMN conversations INTEGER NOT NULL DEFAULT 0;

-- What the chat template of a base that the scheduler holds does (ChatFacts as JSON). Empty: not known.
ALTER TABLE bases ADD COLUMN chat_json TEXT NOT NULL DEFAULT '';

-- `loss` is a running mean from now on; these are the loss of the last step and of the validation rows.
ALTER TABLE attempts ADD COLUMN step_loss REAL;
ALTER TABLE attempts ADD COLUMN eval_loss REAL;

-- A submit of many domains is written in parts (scheduler/jobs/staged_submission.h).  What is not accepted
-- when the scheduler starts is dropped; the parts that are left of what is accepted are queued.
CREATE TABLE submissions (
  submission INTEGER PRIMARY KEY AUTOINCREMENT,
  actor TEXT NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE submission_parts (
  submission INTEGER NOT NULL REFERENCES submissions (submission) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  request BLOB NOT NULL,                      -- a mozgach.v1.SubmitRequest
  PRIMARY KEY (submission, part)
) STRICT;

-- Revoked certificates whose issue time is after their revocation: the clock that made them was ahead.
CREATE TABLE early_certificates (
  name TEXT NOT NULL,
  issued_ms INTEGER NOT NULL,
  PRIMARY KEY (name, issued_ms)
) STRICT, WITHOUT ROWID;
