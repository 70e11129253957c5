-- Submissions that are written in parts (staged_submission.h).

-- name: begin_submission
INSERT INTO submissions (actor) VALUES (?1)

-- name: insert_submission_part
INSERT INTO submission_parts (submission, part, request) VALUES (?1, ?2, CAST(?3 AS BLOB))

-- name: accept_submission
UPDATE submissions SET accepted = 1 WHERE submission = ?1

-- name: remove_submission_part
DELETE FROM submission_parts WHERE submission = ?1 AND part = ?2

-- name: remove_submission
DELETE FROM submissions WHERE submission = ?1

-- name: remove_unaccepted_submissions
DELETE FROM submissions WHERE accepted = 0

-- name: accepted_submissions
SELECT submission, actor FROM submissions WHERE accepted = 1 ORDER BY submission

-- name: submission_parts
SELECT part, request FROM submission_parts WHERE submission = ?1 ORDER BY part
