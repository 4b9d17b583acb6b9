/**
 * What moved a stream's state, entry by entry. What stands when the table comes is its first entry. And epochs out of one sequence:
 * a checkpoint that is forgotten and planned again under the same name must never hand out an epoch that an old attempt still holds.
 */
export const sql = `
CREATE TABLE _weir.state_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sync text NOT NULL, stream text NOT NULL, pass text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('found', 'run', 'reset', 'import', 'rollback')), run_id text, who text,
  watermark_before timestamptz, watermark_after timestamptz,
  settled int NOT NULL DEFAULT 0, left_open int NOT NULL DEFAULT 0, rows_written bigint NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON _weir.state_history (sync, stream, id DESC);
CREATE INDEX ON _weir.state_history (run_id);
COMMENT ON TABLE _weir.state_history IS 'Each change of a pass''s watermark, written with it: by which run, or by whom (reset, import, rollback; of a rollback run_id is the run gone back to). The newest 1,000 entries a stream are kept.';
INSERT INTO _weir.state_history (sync, stream, pass, kind, run_id, watermark_after)
  SELECT sync, stream, pass, 'found', run_id, watermark FROM _weir.watermarks;

CREATE SEQUENCE _weir.epochs START 1000000;
COMMENT ON SEQUENCE _weir.epochs IS 'Epochs of checkpoints: one claim, one number, never given twice.';
`
