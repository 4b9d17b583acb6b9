/** Which attempt holds a slice: one that was called for earlier, and comes late, must not take it. And columns by field and variant, not by a text of both. */
export const sql = `
ALTER TABLE _weir.checkpoints ADD COLUMN attempt_at timestamptz;
ALTER TABLE _weir.backfill_slices ADD COLUMN attempt_at timestamptz;
COMMENT ON COLUMN _weir.checkpoints.attempt_at IS 'When the attempt that holds the slice was called for, by the clock of Temporal: of one run, an attempt that was called for earlier can no longer claim it.';

ALTER TABLE _weir.schema_changes ADD COLUMN variant text;
COMMENT ON COLUMN _weir.schema_changes.variant IS 'Where only those values of the field are meant that are of this type, which its own column cannot take.';
COMMENT ON COLUMN _weir.schema_versions.columns IS 'Of each column the vendor''s field, its own name and type; a variant takes of the field only the values of another type, and says which.';

-- A field "a__json" beside a field "a" was the variant of it.
CREATE FUNCTION pg_temp.variant_of(field text, type text, columns jsonb) RETURNS text LANGUAGE sql AS $$
  SELECT base FROM left(field, -length('__' || type)) AS base
   WHERE right(field, length('__' || type)) = '__' || type AND type IN ('text', 'numeric', 'boolean', 'json')
     AND EXISTS (SELECT 1 FROM jsonb_array_elements(columns) c WHERE c->>'field' = base) $$;
UPDATE _weir.schema_changes s SET field = pg_temp.variant_of(s.field, s.type, v.columns), variant = s.type
  FROM (SELECT DISTINCT ON (table_schema, table_name) * FROM _weir.schema_versions ORDER BY table_schema, table_name, version DESC) v
 WHERE v.table_schema = s.table_schema AND v.table_name = s.table_name AND pg_temp.variant_of(s.field, s.type, v.columns) IS NOT NULL;
UPDATE _weir.schema_versions v SET columns = (
  SELECT jsonb_agg(CASE WHEN base IS NULL THEN c ELSE c || jsonb_build_object('field', base, 'variant', c->>'type') END ORDER BY n)
    FROM jsonb_array_elements(v.columns) WITH ORDINALITY a (c, n), pg_temp.variant_of(c->>'field', c->>'type', v.columns) AS base)
 WHERE EXISTS (SELECT 1 FROM jsonb_array_elements(v.columns) c WHERE pg_temp.variant_of(c->>'field', c->>'type', v.columns) IS NOT NULL);
DROP FUNCTION pg_temp.variant_of(text, text, jsonb);

DROP INDEX _weir.schema_changes_open;
CREATE UNIQUE INDEX schema_changes_open ON _weir.schema_changes (table_schema, table_name, field, coalesce(variant, ''))
  WHERE status IN ('captured', 'pending', 'rejected');
`
