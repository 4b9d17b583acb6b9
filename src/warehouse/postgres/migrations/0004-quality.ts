/** What the checks of the tables said. */
export const sql = `
CREATE TABLE _weir.quality_results (
  run_id text NOT NULL, sync text NOT NULL, stream text NOT NULL, ordinal int NOT NULL, check_name text NOT NULL, parameters jsonb NOT NULL,
  severity text NOT NULL CHECK (severity IN ('warn', 'block')), status text NOT NULL CHECK (status IN ('pass', 'fail', 'error', 'recorded')),
  observed double precision, threshold double precision, unit text CHECK (unit IN ('rows', 'percent', 'seconds')),
  table_rows bigint, failing_rows bigint, sample_keys jsonb NOT NULL, message text NOT NULL, checked_at timestamptz NOT NULL,
  PRIMARY KEY (run_id, stream, ordinal));
CREATE INDEX ON _weir.quality_results (sync, stream, checked_at DESC);
COMMENT ON TABLE _weir.quality_results IS 'One row a check, a stream and a run: what was observed of the whole table against what is allowed, in rows, percent or seconds (unit). status error: it could not be made; recorded: there was nothing to compare with yet. sample_keys holds keys of up to five rows that fail, never other values.';
COMMENT ON COLUMN _weir.quality_results.ordinal IS 'Place of the check in the list of its stream, from 0.';
COMMENT ON COLUMN _weir.quality_results.table_rows IS 'Current rows of the table: what row_count_change compares with later.';
`
