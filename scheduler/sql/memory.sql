-- name: shape
SELECT shape, base, base_key, settings, stepped_down, cpu_bytes, gpu_bytes, checkpoints
FROM shapes WHERE shape = ?1

-- name: find_shape
SELECT shape FROM shapes WHERE base_key = ?1 AND settings_digest = ?2 AND stepped_down = ?3

-- name: insert_shape
INSERT INTO shapes (base, base_key, settings, settings_digest, stepped_down, config_digest,
  cpu_bytes, gpu_bytes, checkpoints)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)

-- name: shapes_to_plan
SELECT shape, base, base_key, settings, stepped_down, cpu_bytes, gpu_bytes, checkpoints
FROM shapes WHERE base = ?1 AND config_digest <> ?2 LIMIT ?3

-- name: plan_shape
UPDATE shapes SET config_digest = ?2, cpu_bytes = ?3, gpu_bytes = ?4, checkpoints = ?5
WHERE shape = ?1

-- name: jobs_from_before
SELECT jobs.job FROM shapes JOIN jobs ON jobs.shape = shapes.shape
WHERE shapes.settings = '' AND jobs.state = 'queued' AND jobs.ready = 1 LIMIT ?1

-- name: set_shape
UPDATE jobs SET shape = ?2 WHERE job = ?1

-- What the jobs need that wait for a base: the least and the most of any.
-- name: needs_waiting
SELECT min(cpu_bytes), max(cpu_bytes), min(gpu_bytes), max(gpu_bytes)
FROM shapes WHERE base_key = ?1 AND waiting > 0

-- name: every_base_config
SELECT base, digest, worker, config_json FROM base_configs

-- name: save_base_config
INSERT INTO base_configs (base, digest, worker, config_json) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (base) DO UPDATE SET digest = excluded.digest, worker = excluded.worker,
  config_json = excluded.config_json

-- name: every_observation
SELECT base, device_kind, planned_bytes, peak_bytes FROM memory_observations ORDER BY observation

-- name: insert_observation
INSERT INTO memory_observations (base, device_kind, planned_bytes, peak_bytes)
VALUES (?1, ?2, ?3, ?4)

-- name: forget_old_observations
DELETE FROM memory_observations WHERE base = ?1 AND device_kind = ?2 AND observation NOT IN (
  SELECT observation FROM memory_observations WHERE base = ?1 AND device_kind = ?2
  ORDER BY observation DESC LIMIT ?3)
