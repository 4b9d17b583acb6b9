/** What column policies and rebuilds must remember. */
export const sql = `
CREATE TABLE _weir.hash_keys (
  table_schema text NOT NULL, table_name text NOT NULL, fingerprint text NOT NULL, key_fields text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_schema, table_name));
COMMENT ON TABLE _weir.hash_keys IS 'Which key made the hashed columns of a table, by its fingerprint: another key is refused, not mixed in.';

CREATE TABLE _weir.rebuilds (
  run_id text PRIMARY KEY, sync text NOT NULL, stream text NOT NULL, definition text NOT NULL, dry_run boolean NOT NULL DEFAULT false,
  status text NOT NULL DEFAULT 'running', position jsonb,
  examined bigint NOT NULL DEFAULT 0, rewritten bigint NOT NULL DEFAULT 0, without_raw bigint NOT NULL DEFAULT 0,
  dead_letters bigint NOT NULL DEFAULT 0, failure_reason text, failure_message text,
  started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz);
CREATE INDEX ON _weir.rebuilds (sync, stream, started_at DESC);
COMMENT ON TABLE _weir.rebuilds IS 'One row a rebuild of a table from its raw records; position is the key of the last row that was looked at.';
`
