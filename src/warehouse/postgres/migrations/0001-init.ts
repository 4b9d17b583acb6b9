/** Weir's own tables. Comments stand in the database too: they are meant to be queried. */
export const sql = `
CREATE SCHEMA IF NOT EXISTS _weir_stage;
COMMENT ON SCHEMA _weir IS 'What Weir knows of itself: runs, checkpoints, dead letters, schema changes.';
COMMENT ON SCHEMA _weir_stage IS 'Snapshots being gathered; swept by the next run. Not for reading.';

CREATE TABLE _weir.definitions (
  hash text PRIMARY KEY, body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE _weir.definitions IS 'Compiled syncs by hash, secrets as references. Every run names the one it ran.';

CREATE TABLE _weir.handovers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body json NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE _weir.handovers IS 'What is too large or too private for a workflow history; deleted when read, and after an hour.';

CREATE TABLE _weir.runs (
  run_id text PRIMARY KEY, sync text NOT NULL, definition text NOT NULL, kind text NOT NULL, status text NOT NULL,
  read bigint NOT NULL DEFAULT 0, loaded bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL DEFAULT 0, dead_letters bigint NOT NULL DEFAULT 0,
  deleted bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, requests bigint NOT NULL DEFAULT 0, retries bigint NOT NULL DEFAULT 0,
  waited_ms bigint NOT NULL DEFAULT 0, failure_reason text, failure_message text,
  started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz);
CREATE INDEX ON _weir.runs (sync, started_at DESC);
COMMENT ON TABLE _weir.runs IS 'One row a run of a sync.';

CREATE TABLE _weir.stream_runs (
  run_id text NOT NULL, sync text NOT NULL, stream text NOT NULL, status text NOT NULL, planned boolean NOT NULL DEFAULT false,
  read bigint NOT NULL DEFAULT 0, loaded bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL DEFAULT 0, dead_letters bigint NOT NULL DEFAULT 0,
  deleted bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, requests bigint NOT NULL DEFAULT 0, retries bigint NOT NULL DEFAULT 0,
  waited_ms bigint NOT NULL DEFAULT 0, failure_reason text, failure_message text,
  started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz,
  PRIMARY KEY (run_id, stream),
  CONSTRAINT equation CHECK (finished_at IS NULL OR status IN ('failed', 'cancelled') OR read = loaded + unchanged + dead_letters));
CREATE INDEX ON _weir.stream_runs (sync, stream, started_at DESC);
COMMENT ON TABLE _weir.stream_runs IS 'One row a stream of a run: read = loaded + unchanged + dead_letters, checked.';

CREATE TABLE _weir.checkpoints (
  sync text NOT NULL, stream text NOT NULL, slice text NOT NULL, pass text NOT NULL,
  range_from text, range_to text, parent text,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'dead_letter')),
  position jsonb, epoch bigint NOT NULL DEFAULT 0, owner text, idle_claims int NOT NULL DEFAULT 0, last_failure text,
  run_id text NOT NULL, ordinal bigint GENERATED ALWAYS AS IDENTITY,
  read bigint NOT NULL DEFAULT 0, loaded bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL DEFAULT 0, dead_letters bigint NOT NULL DEFAULT 0,
  deleted bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, requests bigint NOT NULL DEFAULT 0, retries bigint NOT NULL DEFAULT 0,
  waited_ms bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sync, stream, slice));
COMMENT ON TABLE _weir.checkpoints IS 'Durable position of each slice in work, committed with its rows and fenced by epoch. Settled slices leave.';

CREATE TABLE _weir.watermarks (
  sync text NOT NULL, stream text NOT NULL, pass text NOT NULL, watermark timestamptz NOT NULL, run_id text,
  updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (sync, stream, pass));
COMMENT ON TABLE _weir.watermarks IS 'How far each pass of a stream is complete; the next run starts here, less the look-back.';

CREATE TABLE _weir.catalogs (
  sync text NOT NULL, stream text NOT NULL, fields jsonb NOT NULL, discovered_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (sync, stream));
COMMENT ON TABLE _weir.catalogs IS 'Fields that the vendor named at the last run, for streams that are discovered.';

CREATE TABLE _weir.schema_versions (
  table_schema text NOT NULL, table_name text NOT NULL, version int NOT NULL, columns jsonb NOT NULL, run_id text,
  created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_schema, table_name, version));
COMMENT ON TABLE _weir.schema_versions IS 'Which field fills which column of a table, version by version.';

CREATE TABLE _weir.schema_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sync text NOT NULL, stream text NOT NULL, table_schema text NOT NULL, table_name text NOT NULL,
  change text NOT NULL, field text, column_name text, type text, run_id text, created_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE _weir.schema_changes IS 'What happened to the tables: created, column added, columns full.';

CREATE TABLE _weir.dead_letters (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sync text NOT NULL, stream text NOT NULL, run_id text NOT NULL, slice text,
  kind text NOT NULL CHECK (kind IN ('record', 'page', 'slice')), reason text NOT NULL, message text NOT NULL,
  record_key text, payload json NOT NULL, fingerprint text NOT NULL, attempts int NOT NULL DEFAULT 1,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'superseded', 'discarded')),
  first_seen_at timestamptz NOT NULL DEFAULT now(), last_seen_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (sync, stream, fingerprint));
CREATE INDEX ON _weir.dead_letters (sync, stream, status);
COMMENT ON TABLE _weir.dead_letters IS 'What could not be loaded, whole, with the reason; one letter for one cause however often it is met.';

CREATE TABLE _weir.credentials (
  connection text PRIMARY KEY, sealed text, origin text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE _weir.credentials IS 'Rotated OAuth tokens, encrypted with WEIR_KEY.';
`
