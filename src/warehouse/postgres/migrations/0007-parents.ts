/** Ranges and watermarks of a parent's own: an ad account is complete up to a day of which another knows nothing. And parents that are closed to us. */
export const sql = `
ALTER TABLE _weir.watermarks ADD COLUMN parent text NOT NULL DEFAULT '';
ALTER TABLE _weir.watermarks DROP CONSTRAINT watermarks_pkey, ADD PRIMARY KEY (sync, stream, pass, parent);
COMMENT ON TABLE _weir.watermarks IS 'How far each pass of a stream, or each parent (an ad account) in it, is complete; the next run starts here, less the look-back.';
COMMENT ON COLUMN _weir.watermarks.parent IS 'The parent (an ad account) whose own watermark it is; empty where the pass has one for all.';

ALTER TABLE _weir.state_history ADD COLUMN parent text NOT NULL DEFAULT '';
COMMENT ON COLUMN _weir.state_history.parent IS 'As in watermarks.';
COMMENT ON TABLE _weir.state_history IS 'Each change of a watermark, written with it: by which run, or by whom (reset, import, rollback; of a rollback run_id is the run gone back to). Of a stream the newest 1,000 entries are kept, and those of the newest 100 changes.';

ALTER TABLE _weir.checkpoints DROP CONSTRAINT checkpoints_state_check,
  ADD CONSTRAINT checkpoints_state_check CHECK (state IN ('open', 'finished', 'dead_letter', 'refused', 'halved'));
COMMENT ON COLUMN _weir.checkpoints.state IS 'open: in work. finished. dead_letter: set aside, the watermark passes it. refused: its parent is closed to us, so the next run reads its range again. halved: two smaller slices have taken its place.';
`
