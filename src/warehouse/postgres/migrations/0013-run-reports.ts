/** What a run tells of itself: where it runs, what it used, what it waited for, who paused it. */
export const sql = `
ALTER TABLE _weir.runs ADD COLUMN workflow_id text,
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE _weir.stream_runs ADD COLUMN waiting_until timestamptz, ADD COLUMN spent jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE _weir.checkpoints ADD COLUMN spent jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN _weir.runs.workflow_id IS 'Id of its workflow in Temporal.';
COMMENT ON COLUMN _weir.runs.status IS 'running, paused, completed, completed_with_dead_letters, partial (some streams failed), failed, cancelled. A running one may be waiting: see run_report.';
COMMENT ON COLUMN _weir.stream_runs.waiting_until IS 'The vendor''s quota was spent until then, when a slice was handed back last.';
COMMENT ON COLUMN _weir.stream_runs.spent IS 'Requests that were answered, by the name of the vendor''s budget that they counted against.';
COMMENT ON COLUMN _weir.stream_runs.waited_ms IS 'Waits for budget or the vendor''s word, added up over slices that were read side by side.';
COMMENT ON COLUMN _weir.stream_runs.vendor_ms IS 'How long requests took, added up over those that ran side by side.';
COMMENT ON COLUMN _weir.stream_runs.warehouse_ms IS 'How long transactions of batches took, added up over those that ran side by side.';

CREATE FUNCTION _weir.add_up(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM (
    SELECT key, sum(value::numeric) AS value FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS both_of GROUP BY key) AS summed $$;
COMMENT ON FUNCTION _weir.add_up IS 'Two objects of counts by name, added up.';

CREATE TABLE _weir.pauses (
  run_id text NOT NULL, sync text NOT NULL, stream text NOT NULL DEFAULT '', paused_at timestamptz NOT NULL, paused_by text NOT NULL, reason text NOT NULL,
  resumed_at timestamptz, resumed_by text, PRIMARY KEY (run_id, stream, paused_at));
COMMENT ON TABLE _weir.pauses IS 'Who paused which run, why, and until when; stream is empty where the whole run was paused, resumed_by where it ended while it was.';
`
