/** Dead letters can be closed, replayed and sealed. */
export const sql = `
ALTER TABLE _weir.dead_letters
  ADD COLUMN form text NOT NULL DEFAULT 'record' CHECK (form IN ('record', 'raw')),
  ADD COLUMN sealed_by text,
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN replay_run_id text,
  ADD COLUMN replay_outcome text CHECK (replay_outcome IN ('loaded', 'unchanged', 'failed', 'reopened'));
CREATE INDEX ON _weir.dead_letters (sync, stream, record_key) WHERE status = 'open';
COMMENT ON TABLE _weir.dead_letters IS 'What could not be loaded, whole, with the reason; one letter for one cause however often it is met. weir dlq reads, replays and discards them.';
COMMENT ON COLUMN _weir.dead_letters.record_key IS 'The key of the record: its text, or a JSON array of texts where the key has several fields; the name of a slice.';
COMMENT ON COLUMN _weir.dead_letters.form IS 'record: as it was on its way into the table; raw: as the vendor shows it.';
COMMENT ON COLUMN _weir.dead_letters.payload IS 'The record or slice. A JSON text holds what json itself cannot: what is sealed, or nested too deeply.';
COMMENT ON COLUMN _weir.dead_letters.sealed_by IS 'The fingerprint of the WEIR_KEY that the payload is encrypted with; NULL where it is in clear.';
COMMENT ON COLUMN _weir.dead_letters.first_seen_at IS 'When it was met first since it was last opened: a replayed record is as old as that.';
COMMENT ON COLUMN _weir.dead_letters.replay_run_id IS 'The replay that took it last; _weir.runs has a row of it.';
`
