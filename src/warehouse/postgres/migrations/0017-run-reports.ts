/** What a run tells of itself: where it runs, what it used, what it waited for, who paused it. */
export const sql = `
ALTER TABLE _weir.runs ADD COLUMN workflow_id text,
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE _weir.stream_runs ADD COLUMN spent jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE _weir.checkpoints ADD COLUMN spent jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE _weir.backfill_slices ADD COLUMN spent jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN waits bigint NOT NULL DEFAULT 0, ADD COLUMN vendor_ms bigint NOT NULL DEFAULT 0, ADD COLUMN warehouse_ms bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN _weir.runs.workflow_id IS 'Id of its workflow in Temporal.';
COMMENT ON COLUMN _weir.runs.status IS 'running, paused, completed, completed_with_dead_letters, partial (some streams failed), failed, cancelled. A running one may be waiting: see run_report.';
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
CREATE INDEX ON _weir.schema_changes (run_id);
CREATE INDEX ON _weir.stream_runs (started_at DESC);

CREATE TABLE _weir.failure_reasons (reason text PRIMARY KEY, acts text NOT NULL, again text NOT NULL, stops text NOT NULL, next_command text NOT NULL);
COMMENT ON TABLE _weir.failure_reasons IS 'Whose move a failure is, when it is worth trying again, what it stops, and the command that leads on. Written by Weir itself from docs/reference/failures.md''s source.';

CREATE VIEW _weir.run_slices AS
SELECT run_id, stream, slice, state, waiting_until, waiting_for, spent, read, loaded, unchanged, dead_letters, deleted, bytes, requests, retries, waits, waited_ms, vendor_ms, warehouse_ms FROM _weir.checkpoints
UNION ALL SELECT run_id, stream, slice, state, waiting_until, waiting_for, spent, read, loaded, unchanged, dead_letters, deleted, bytes, requests, retries, waits, waited_ms, vendor_ms, warehouse_ms FROM _weir.backfill_slices;
COMMENT ON VIEW _weir.run_slices IS 'The slices that each run worked on last, with its counts: those of live syncs and those of backfills.';

CREATE VIEW _weir.stream_report AS
SELECT s.run_id, s.sync, s.stream,
  CASE WHEN s.finished_at IS NULL AND s.status = 'running' AND live.waiting_until IS NOT NULL THEN 'waiting' ELSE s.status END AS status,
  s.started_at, s.finished_at, extract(epoch FROM coalesce(s.finished_at, now()) - s.started_at)::float8 AS seconds,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.read, 0)::bigint ELSE s.read END AS read,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.loaded, 0)::bigint ELSE s.loaded END AS loaded,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.unchanged, 0)::bigint ELSE s.unchanged END AS unchanged,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.dead_letters, 0)::bigint ELSE s.dead_letters END AS dead_letters,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.deleted, 0)::bigint ELSE s.deleted END AS deleted,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.bytes, 0)::bigint ELSE s.bytes END AS bytes,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.requests, 0)::bigint ELSE s.requests END AS requests,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.retries, 0)::bigint ELSE s.retries END AS retries,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.waits, 0)::bigint ELSE s.waits END AS waits,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.waited_ms, 0)::bigint ELSE s.waited_ms END AS waited_ms,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.vendor_ms, 0)::bigint ELSE s.vendor_ms END AS vendor_ms,
  CASE WHEN s.finished_at IS NULL THEN coalesce(live.warehouse_ms, 0)::bigint ELSE s.warehouse_ms END AS warehouse_ms,
  CASE WHEN s.finished_at IS NULL THEN coalesce((SELECT jsonb_object_agg(key, spent) FROM (SELECT key, sum(value::numeric) AS spent FROM _weir.run_slices c, jsonb_each_text(c.spent)
      WHERE c.stream = s.stream AND c.run_id = s.run_id GROUP BY key) AS used), '{}') ELSE s.spent END AS spent,
  live.waiting_until, live.waiting_for,
  (SELECT count(*) FROM _weir.schema_changes h WHERE h.run_id = s.run_id AND h.sync = s.sync AND h.stream = s.stream)::int AS schema_changes,
  (SELECT count(*) FROM _weir.quality_results q WHERE q.run_id = s.run_id AND q.stream = s.stream)::int AS checks,
  (SELECT count(*) FROM _weir.quality_results q WHERE q.run_id = s.run_id AND q.stream = s.stream AND q.status IN ('fail', 'error'))::int AS failed_checks,
  s.failure_reason, s.failure_message, f.acts, replace(replace(f.next_command, '{sync}', s.sync), '{run}', s.run_id) AS next_command
FROM _weir.stream_runs s
LEFT JOIN LATERAL (SELECT sum(read) AS read, sum(loaded) AS loaded, sum(unchanged) AS unchanged, sum(dead_letters) AS dead_letters, sum(deleted) AS deleted, sum(bytes) AS bytes, sum(requests) AS requests, sum(retries) AS retries, sum(waits) AS waits, sum(waited_ms) AS waited_ms, sum(vendor_ms) AS vendor_ms, sum(warehouse_ms) AS warehouse_ms,
    max(waiting_until) FILTER (WHERE state = 'open' AND waiting_until > now()) AS waiting_until,
    (array_agg(waiting_for ORDER BY waiting_until DESC) FILTER (WHERE state = 'open' AND waiting_until > now()))[1] AS waiting_for
  FROM _weir.run_slices c WHERE s.finished_at IS NULL AND c.stream = s.stream AND c.run_id = s.run_id) AS live ON true
LEFT JOIN _weir.failure_reasons f ON f.reason = s.failure_reason;
COMMENT ON VIEW _weir.stream_report IS 'One row a stream of a run, counts of what is committed so far included: what weir runs show prints.';

CREATE VIEW _weir.run_report AS
SELECT r.run_id, r.sync, r.kind, r.definition, r.workflow_id, r.backfill, r.warnings,
  CASE WHEN r.finished_at IS NULL AND r.status = 'running' AND t.waiting > 0 AND t.reading = 0 THEN 'waiting' ELSE r.status END AS status,
  r.started_at, r.finished_at, extract(epoch FROM coalesce(r.finished_at, now()) - r.started_at)::float8 AS seconds,
  coalesce(t.streams, 0)::int AS streams, coalesce(t.done, 0)::int AS streams_done,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.read, 0) ELSE r.read END AS read,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.loaded, 0) ELSE r.loaded END AS loaded,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.unchanged, 0) ELSE r.unchanged END AS unchanged,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.dead_letters, 0) ELSE r.dead_letters END AS dead_letters,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.deleted, 0) ELSE r.deleted END AS deleted,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.bytes, 0) ELSE r.bytes END AS bytes,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.requests, 0) ELSE r.requests END AS requests,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.retries, 0) ELSE r.retries END AS retries,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.waits, 0) ELSE r.waits END AS waits,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.waited_ms, 0) ELSE r.waited_ms END AS waited_ms,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.vendor_ms, 0) ELSE r.vendor_ms END AS vendor_ms,
  CASE WHEN r.finished_at IS NULL THEN coalesce(t.warehouse_ms, 0) ELSE r.warehouse_ms END AS warehouse_ms,
  coalesce(t.schema_changes, 0)::int AS schema_changes, coalesce(t.checks, 0)::int AS checks, coalesce(t.failed_checks, 0)::int AS failed_checks,
  CASE WHEN r.finished_at IS NULL THEN t.waiting_until END AS waiting_until, CASE WHEN r.finished_at IS NULL THEN t.waiting_for END AS waiting_for,
  p.paused_at, p.paused_by, p.reason AS pause_reason,
  r.failure_reason, r.failure_message, f.acts, replace(replace(f.next_command, '{sync}', r.sync), '{run}', r.run_id) AS next_command
FROM _weir.runs r
LEFT JOIN LATERAL (SELECT count(*) AS streams, count(s.finished_at) AS done, count(*) FILTER (WHERE s.status = 'waiting') AS waiting,
    count(*) FILTER (WHERE s.status = 'running') AS reading, sum(s.schema_changes) AS schema_changes, sum(s.checks) AS checks,
    sum(s.failed_checks) AS failed_checks, min(s.waiting_until) AS waiting_until, (array_agg(s.waiting_for ORDER BY s.waiting_until))[1] AS waiting_for, sum(s.read)::bigint AS read, sum(s.loaded)::bigint AS loaded, sum(s.unchanged)::bigint AS unchanged, sum(s.dead_letters)::bigint AS dead_letters, sum(s.deleted)::bigint AS deleted, sum(s.bytes)::bigint AS bytes, sum(s.requests)::bigint AS requests, sum(s.retries)::bigint AS retries, sum(s.waits)::bigint AS waits, sum(s.waited_ms)::bigint AS waited_ms, sum(s.vendor_ms)::bigint AS vendor_ms, sum(s.warehouse_ms)::bigint AS warehouse_ms
  FROM _weir.stream_report s WHERE s.run_id = r.run_id) AS t ON true
LEFT JOIN LATERAL (SELECT * FROM _weir.pauses p WHERE p.run_id = r.run_id AND p.stream = '' AND p.resumed_at IS NULL ORDER BY p.paused_at DESC LIMIT 1) AS p ON true
LEFT JOIN _weir.failure_reasons f ON f.reason = r.failure_reason;
COMMENT ON VIEW _weir.run_report IS 'One row a run, counts of what is committed so far included: what weir runs prints. status may be waiting, too; acts says whose move a failure is, next_command what leads on.';

CREATE VIEW _weir.stream_status AS
SELECT s.*, m.complete_up_to,
  (SELECT count(*) FROM _weir.checkpoints c WHERE c.sync = s.sync AND c.stream = s.stream AND c.state = 'open')::int AS open_slices,
  (SELECT count(*) FROM _weir.dead_letters d WHERE d.sync = s.sync AND d.stream = s.stream AND d.status = 'open')::int AS open_dead_letters,
  (SELECT count(*) FROM _weir.schema_changes h WHERE h.sync = s.sync AND h.stream = s.stream AND h.status = 'pending')::int AS pending_changes,
  (SELECT max(o.finished_at) FROM _weir.stream_runs o WHERE o.sync = s.sync AND o.stream = s.stream
    AND o.status IN ('completed', 'completed_with_dead_letters')
    AND NOT EXISTS (SELECT 1 FROM _weir.runs r WHERE r.run_id = o.run_id AND r.kind = 'backfill')) AS last_completed_at
FROM (SELECT DISTINCT ON (sync, stream) sync, stream, run_id FROM _weir.stream_runs n
  WHERE NOT EXISTS (SELECT 1 FROM _weir.runs r WHERE r.run_id = n.run_id AND r.kind = 'backfill') ORDER BY sync, stream, started_at DESC) AS newest
JOIN _weir.stream_report s USING (run_id, sync, stream)
LEFT JOIN LATERAL (SELECT min(watermark) AS complete_up_to FROM _weir.watermarks w WHERE w.sync = s.sync AND w.stream = s.stream) AS m ON true;
COMMENT ON VIEW _weir.stream_status IS 'One row a stream of each sync: its newest run, backfills aside, up to when it is complete, what waits. What weir status prints.';
`
