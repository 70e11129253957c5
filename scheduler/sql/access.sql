-- name: every_token
SELECT name, role, sha256, created_ms, created_by, expires_ms FROM tokens

-- name: save_token
INSERT INTO tokens (name, role, sha256, created_ms, created_by, expires_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (name) DO UPDATE SET role = excluded.role, sha256 = excluded.sha256,
  created_ms = excluded.created_ms, created_by = excluded.created_by,
  expires_ms = excluded.expires_ms

-- name: forget_token
DELETE FROM tokens WHERE name = ?1

-- name: every_revocation
SELECT name, before_ms, revoked_by FROM revocations

-- name: save_revocation
INSERT INTO revocations (name, before_ms, revoked_by) VALUES (?1, ?2, ?3)
ON CONFLICT (name) DO UPDATE SET before_ms = max(before_ms, excluded.before_ms),
  revoked_by = excluded.revoked_by

-- name: every_early_certificate
SELECT name, issued_ms FROM early_certificates

-- name: save_early_certificate
INSERT INTO early_certificates (name, issued_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING
