/** Alerts that are open, the outbox of their messages, and what conditions are computed from that no table said yet. */
export const sql = `
CREATE TABLE _weir.alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sync text NOT NULL, stream text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('failed', 'stale', 'schema_change', 'dead_letters', 'quality', 'quota_wait', 'approval')),
  severity text NOT NULL CHECK (severity IN ('warning', 'error')), reason text, message text NOT NULL, run_id text,
  since timestamptz NOT NULL, opened_at timestamptz NOT NULL DEFAULT now(), last_seen_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz, resolution text, told jsonb NOT NULL DEFAULT '{}');
CREATE UNIQUE INDEX alerts_open ON _weir.alerts (sync, stream, kind) WHERE resolved_at IS NULL;
COMMENT ON TABLE _weir.alerts IS 'One row a condition of a sync or a stream (empty: the whole sync), from when it was seen until it is over (resolved_at). A schema change is told once, so its row is over at once. Closed rows are kept 90 days.';
COMMENT ON COLUMN _weir.alerts.since IS 'Since when it is so; opened_at is when it was seen first.';
COMMENT ON COLUMN _weir.alerts.told IS 'By target: when it was said last, and how severe it was then.';

CREATE TABLE _weir.alert_deliveries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), ordinal bigint GENERATED ALWAYS AS IDENTITY,
  target text NOT NULL, definition text NOT NULL, target_index int NOT NULL,
  sync text NOT NULL, kind text NOT NULL, event text NOT NULL CHECK (event IN ('opened', 'worsened', 'repeated', 'resolved')),
  alerts bigint[] NOT NULL, message jsonb NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'given_up')),
  attempts int NOT NULL DEFAULT 0, next_attempt_at timestamptz NOT NULL DEFAULT now(), last_error text,
  created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz);
CREATE INDEX ON _weir.alert_deliveries (target, ordinal) WHERE status = 'pending';
COMMENT ON TABLE _weir.alert_deliveries IS 'The outbox of messages about alerts, written with what they are about. Of one target one after the other, each tried until it is delivered or given up; id is the Idempotency-Key of every attempt. Ended rows are kept 30 days.';
COMMENT ON COLUMN _weir.alert_deliveries.target_index IS 'Place of the target in the alerts of the definition.';

CREATE TABLE _weir.alert_watch (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), looked_at timestamptz NOT NULL);
COMMENT ON TABLE _weir.alert_watch IS 'When all syncs were looked at last: a worker that sees nobody look does it itself.';

ALTER TABLE _weir.schema_changes ADD COLUMN told_at timestamptz;
UPDATE _weir.schema_changes SET told_at = now();
CREATE INDEX ON _weir.schema_changes (sync) WHERE told_at IS NULL;
COMMENT ON COLUMN _weir.schema_changes.told_at IS 'When alerts took notice of it.';

ALTER TABLE _weir.checkpoints ADD COLUMN waiting_since timestamptz;
COMMENT ON COLUMN _weir.checkpoints.waiting_since IS 'Since when nothing was committed for what it waits for.';

CREATE INDEX ON _weir.stream_runs (sync, stream, started_at DESC) WHERE status IN ('completed', 'completed_with_dead_letters');
`
