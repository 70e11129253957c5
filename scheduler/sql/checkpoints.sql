-- name: checkpoint_step
SELECT step FROM job_checkpoints WHERE job = ?1

-- name: checkpoint_files
SELECT path, sha256, size FROM job_checkpoint_files WHERE job = ?1 ORDER BY path

-- name: save_checkpoint
INSERT INTO job_checkpoints (job, attempt, step) VALUES (?1, ?2, ?3)
ON CONFLICT (job) DO UPDATE SET attempt = excluded.attempt, step = excluded.step

-- name: forget_checkpoint_files
DELETE FROM job_checkpoint_files WHERE job = ?1

-- name: insert_checkpoint_file
INSERT INTO job_checkpoint_files (job, path, sha256, size) VALUES (?1, ?2, ?3, ?4)
