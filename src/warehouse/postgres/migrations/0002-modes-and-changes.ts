/** Which mode a table is kept in, and schema changes that wait for a person. */
export const sql = `
CREATE TABLE _weir.tables (
  table_schema text NOT NULL, table_name text NOT NULL, sync text NOT NULL, stream text NOT NULL, mode text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(), mode_since timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (table_schema, table_name));
COMMENT ON TABLE _weir.tables IS 'The tables that Weir loads, and the mode that each is kept in.';

ALTER TABLE _weir.catalogs ADD COLUMN seen jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN _weir.catalogs.seen IS 'Declared fields that records have carried: one of these that is missing everywhere is gone.';

ALTER TABLE _weir.schema_changes
  ADD COLUMN status text NOT NULL DEFAULT 'applied' CHECK (status IN ('applied', 'noted', 'captured', 'pending', 'approved', 'rejected')),
  ADD COLUMN decided_by text, ADD COLUMN decided_at timestamptz, ADD COLUMN filled bigint;
CREATE UNIQUE INDEX schema_changes_open ON _weir.schema_changes (table_schema, table_name, field) WHERE status IN ('captured', 'pending', 'rejected');
COMMENT ON TABLE _weir.schema_changes IS 'What happened to the shape of tables and records: tables created, columns added, fields gone and back, rows too wide, modes switched, and new fields that wait for a decision.';
COMMENT ON COLUMN _weir.schema_changes.status IS 'applied: done. noted: nothing to do. captured: values go to _weir_extra. pending: so too, until somebody decides. approved, rejected: decided.';
COMMENT ON COLUMN _weir.schema_changes.filled IS 'Rows whose value moved from _weir_extra into the column after the approval.';
`
