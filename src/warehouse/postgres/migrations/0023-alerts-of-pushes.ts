/** Alerts of pushes, and of backfills that failed. */
export const sql = `
ALTER TABLE _weir.alerts DROP CONSTRAINT alerts_kind_check, ADD CONSTRAINT alerts_kind_check CHECK (kind IN ('failed', 'stale', 'schema_change',
  'dead_letters', 'quality', 'quota_wait', 'approval', 'backfill', 'decision', 'held', 'rejections'));
COMMENT ON COLUMN _weir.alerts.sync IS 'The sync; audience/NAME of an audience, whose destinations stand where streams do.';
`
