/** What people and pushes decided and did, in a chain. */
export const sql = `
CREATE TABLE _weir.audit_log (
  seq bigint PRIMARY KEY, at timestamptz NOT NULL, event text NOT NULL, actor text, audience text, run_id text,
  detail jsonb NOT NULL, key_name text, previous text NOT NULL, hash text NOT NULL);
CREATE INDEX ON _weir.audit_log (audience, seq DESC);
COMMENT ON TABLE _weir.audit_log IS 'Who asked, decided and did what; never a member. Each row names the hash of the one before it: weir audit verify finds what was altered.';
COMMENT ON COLUMN _weir.audit_log.key_name IS 'Fingerprint of the key that made the hash; NULL for a hash without a key, which whoever writes here could make.';

CREATE TABLE _weir.audit_head (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), seq bigint NOT NULL, hash text NOT NULL, key_name text, seal text NOT NULL);
INSERT INTO _weir.audit_head (seq, hash, seal) VALUES (0, '', '');
COMMENT ON TABLE _weir.audit_head IS 'The last row of the audit log: who appends holds it, and a log that was cut off no longer ends with it.';
`
