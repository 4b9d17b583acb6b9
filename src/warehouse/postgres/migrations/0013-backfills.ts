/** Backfills, and their slices: as checkpoints are, in a table of their own, since nothing of the live sync may meet them. */
export const sql = `
CREATE TABLE _weir.backfills (
  id text PRIMARY KEY, sync text NOT NULL, definition text NOT NULL, streams text[] NOT NULL, range_from text NOT NULL, range_to text NOT NULL,
  slice_days int, parallel int, status text NOT NULL CHECK (status IN ('running', 'paused', 'completed', 'completed_with_dead_letters', 'failed', 'cancelled')),
  created_by text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, paused_at timestamptz, idle_ms bigint NOT NULL DEFAULT 0,
  request_ms double precision, slices int, slices_done int, slices_failed int, read bigint, loaded bigint, unchanged bigint, dead_letters bigint, requests bigint,
  failure_reason text, failure_message text);
CREATE INDEX ON _weir.backfills (sync, created_at DESC);
COMMENT ON TABLE _weir.backfills IS 'One row a backfill: who asked for which range of which streams, by which definition, and how it stands. weir backfill list shows them.';
COMMENT ON COLUMN _weir.backfills.range_from IS 'The range that was asked for, inclusive; range_to is exclusive. ISO 8601 in UTC.';
COMMENT ON COLUMN _weir.backfills.slices IS 'Slices and counts are written when it ends; until then backfill_slices and the stream_runs of its runs tell them.';
COMMENT ON COLUMN _weir.backfills.idle_ms IS 'Time that it was paused or ended, before it went on.';
COMMENT ON COLUMN _weir.backfills.request_ms IS 'What a request takes at the backfill''s share of the budget, while live syncs use theirs: for the estimate of the end.';

CREATE TABLE _weir.backfill_slices (
  backfill text NOT NULL, stream text NOT NULL, slice text NOT NULL, pass text NOT NULL, range_from text, range_to text, parent text,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'dead_letter', 'refused', 'halved')),
  position jsonb, epoch bigint NOT NULL DEFAULT 0, owner text, idle_claims int NOT NULL DEFAULT 0, last_failure text,
  run_id text NOT NULL, ordinal bigint GENERATED ALWAYS AS IDENTITY,
  read bigint NOT NULL DEFAULT 0, loaded bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL DEFAULT 0, dead_letters bigint NOT NULL DEFAULT 0,
  deleted bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, requests bigint NOT NULL DEFAULT 0, retries bigint NOT NULL DEFAULT 0,
  waited_ms bigint NOT NULL DEFAULT 0, waiting_since timestamptz, waiting_until timestamptz, waiting_for text,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (backfill, stream, slice));
CREATE INDEX backfill_slices_open ON _weir.backfill_slices (backfill, stream, ordinal) WHERE state = 'open';
CREATE INDEX backfill_slices_run ON _weir.backfill_slices (run_id);
COMMENT ON TABLE _weir.backfill_slices IS 'The slices of each backfill with their positions, committed with their rows and fenced by epoch as checkpoints are. Those of a backfill that ended leave after 90 days.';
COMMENT ON COLUMN _weir.backfill_slices.state IS 'As in checkpoints; what was set aside or refused is read again when the backfill is resumed.';
COMMENT ON COLUMN _weir.backfill_slices.run_id IS 'The run that worked on it last: its counts are of that run.';

CREATE TABLE _weir.backfill_overtaken (
  backfill text NOT NULL, stream text NOT NULL, slice text NOT NULL, range_from text, range_to text);
CREATE INDEX ON _weir.backfill_overtaken (backfill, stream, slice);
COMMENT ON TABLE _weir.backfill_overtaken IS 'Ranges that a live sync replaced while a slice of a backfill gathered them, too: what stands there is newer. Weir''s own.';

ALTER TABLE _weir.runs ADD COLUMN backfill text;
COMMENT ON COLUMN _weir.runs.backfill IS 'The backfill whose run it is; one that was resumed after its end has several.';
CREATE INDEX ON _weir.runs (backfill) WHERE backfill IS NOT NULL;
`
