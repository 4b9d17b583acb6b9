/** A letter knows how old the version is that it holds. Pages never were set aside: a record, or a slice, is. */
export const sql = `
ALTER TABLE _weir.dead_letters
  ADD COLUMN version_at timestamptz,
  DROP CONSTRAINT dead_letters_kind_check,
  ADD CONSTRAINT dead_letters_kind_check CHECK (kind IN ('record', 'slice'));
COMMENT ON COLUMN _weir.dead_letters.version_at IS 'How old the version of the record says that it is: its cursor or its deletion. An open letter is not given an older one to hold.';
`
