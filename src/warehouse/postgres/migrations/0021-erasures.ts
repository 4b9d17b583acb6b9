/** People who asked to be erased, by keyed hashes alone. */
export const sql = `
CREATE TABLE _weir.erasures (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('email', 'phone', 'key')), mark text NOT NULL UNIQUE,
  marks text[] NOT NULL, key_name text NOT NULL, asked_by text NOT NULL, asked_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz,
  members int NOT NULL, dead_letters int NOT NULL);
CREATE INDEX ON _weir.erasures USING gin (marks);
COMMENT ON TABLE _weir.erasures IS 'People who were erased: audiences never send them again. A person is known here by keyed hashes alone.';
COMMENT ON COLUMN _weir.erasures.marks IS 'Keyed hashes of the identifier in each form, and of the keys that models knew the person by.';
COMMENT ON COLUMN _weir.erasures.key_name IS 'Fingerprint of the key that made the hashes.';
COMMENT ON COLUMN _weir.erasures.ended_at IS 'Since when the ledger knows nothing of the person: every destination has acknowledged the removal.';
ALTER TABLE _weir.audience_members ADD COLUMN marks text[];
ALTER TABLE _weir.audience_changes ADD COLUMN marks text[];
CREATE INDEX ON _weir.audience_members USING gin (marks);
COMMENT ON COLUMN _weir.audience_members.marks IS 'Keyed hashes of e-mail and phone, by which an erasure finds the person; NULL until the next push has looked at the row.';
`
