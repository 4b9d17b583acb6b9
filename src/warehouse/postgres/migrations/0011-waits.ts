/** What a person should know of a run beside its end: what it waits for, and what will need a hand before long. */
export const sql = `
ALTER TABLE _weir.checkpoints ADD COLUMN waiting_until timestamptz, ADD COLUMN waiting_for text;
COMMENT ON COLUMN _weir.checkpoints.waiting_until IS 'While this instant lies ahead and the slice is open, nothing is asked for: the vendor, or the account''s budget, said so.';
COMMENT ON COLUMN _weir.checkpoints.waiting_for IS 'quota, or vendor where that has failed too often in a row.';
ALTER TABLE _weir.runs ADD COLUMN warnings text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN _weir.runs.warnings IS 'What will need a person before long, such as an API version that is about to end. Not a failure.';
`
