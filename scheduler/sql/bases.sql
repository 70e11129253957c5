-- name: every_base
SELECT base, digest, size_bytes, revisions_json, added_ms, chat_json FROM bases ORDER BY base

-- name: every_base_file
SELECT base, path, sha256, size FROM base_files ORDER BY base, path

-- name: save_base
INSERT INTO bases (base, digest, size_bytes, revisions_json, added_ms, chat_json)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (base) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes,
  revisions_json = excluded.revisions_json, added_ms = excluded.added_ms,
  chat_json = excluded.chat_json

-- name: forget_base_files
DELETE FROM base_files WHERE base = ?1

-- name: insert_base_file
INSERT INTO base_files (base, path, sha256, size) VALUES (?1, ?2, ?3, ?4)
