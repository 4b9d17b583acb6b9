/** Which attempt holds a slice: one that was called for earlier, and comes late, must not take it. */
export const sql = `
ALTER TABLE _weir.checkpoints ADD COLUMN attempt_at timestamptz;
COMMENT ON COLUMN _weir.checkpoints.attempt_at IS 'When the attempt that holds the slice was called for, by the clock of Temporal: of one run, an attempt that was called for earlier can no longer claim it.';
`
