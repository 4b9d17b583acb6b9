/** Members whose tries are used up are dead letters of their own. */
export const sql = `
ALTER TABLE _weir.audience_members DROP CONSTRAINT audience_members_state_check;
ALTER TABLE _weir.audience_members ADD CONSTRAINT audience_members_state_check
  CHECK (state IN ('intended', 'accepted', 'confirmed', 'rejected', 'dead', 'removing', 'removed'));
UPDATE _weir.audience_members SET state = 'dead' WHERE state = 'rejected' AND is_final AND attempts > 0;
CREATE INDEX ON _weir.audience_members (audience, destination) WHERE state = 'dead';
COMMENT ON COLUMN _weir.audience_members.state IS 'rejected: by the vendor, and tried again; or by us for want of an identifier. dead: refused for good, or by five pushes: tried again when the row changes, or by weir audience retry.';
`
