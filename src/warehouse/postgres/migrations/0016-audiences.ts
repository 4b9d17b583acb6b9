/** People who go out: what destinations hold, what pushes did. */
export const sql = `
CREATE TABLE _weir.audience_members (
  audience text NOT NULL, destination text NOT NULL, key text NOT NULL, identity text NOT NULL,
  state text NOT NULL CHECK (state IN ('intended', 'accepted', 'confirmed', 'rejected', 'removing', 'removed')),
  cause text NOT NULL, print bytea NOT NULL, content text NOT NULL, identifiers jsonb, vendor_id text,
  reason text, message text, is_final boolean NOT NULL DEFAULT false, attempts int NOT NULL DEFAULT 0,
  run_id text NOT NULL, added_at timestamptz, changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (audience, destination, key, identity));
CREATE INDEX ON _weir.audience_members (audience, destination, identity);
COMMENT ON TABLE _weir.audience_members IS 'The ledger: what each destination is known to hold, by member. accepted: the vendor took the batch and names nobody; confirmed: it named this member.';
COMMENT ON COLUMN _weir.audience_members.key IS 'The person in the model; a keyed hash of it where the key is an address.';
COMMENT ON COLUMN _weir.audience_members.identity IS 'Keyed hash of the identifiers as sent: another address is another member.';
COMMENT ON COLUMN _weir.audience_members.print IS 'Keyed hash of the model''s row when it was sent: a row that did not change is not looked at.';
COMMENT ON COLUMN _weir.audience_members.identifiers IS 'What removal needs once the row is gone, where the vendor gave no id of its own: hashes as sent, never a plain address.';

CREATE TABLE _weir.audience_runs (
  run_id text PRIMARY KEY, audience text NOT NULL, definition text NOT NULL, kind text NOT NULL, requested_by text,
  status text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(), prepared_at timestamptz, finished_at timestamptz,
  prepared jsonb, change_set text, verdict jsonb, decided_by text, decided_at timestamptz, is_approved boolean, expires_at timestamptz,
  reason text, message text);
CREATE INDEX ON _weir.audience_runs (audience, started_at DESC);
COMMENT ON TABLE _weir.audience_runs IS 'Pushes of audiences: counts, why they waited, who decided, how they ended.';

CREATE TABLE _weir.audience_destination_runs (
  run_id text NOT NULL REFERENCES _weir.audience_runs, destination text NOT NULL, target jsonb,
  reason text, message text, PRIMARY KEY (run_id, destination));
COMMENT ON TABLE _weir.audience_destination_runs IS 'One row a destination of a push.';

CREATE TABLE _weir.audience_batches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id text NOT NULL, destination text NOT NULL, action text NOT NULL,
  members int NOT NULL, state text NOT NULL CHECK (state IN ('sending', 'polling', 'done')), job jsonb,
  accepted int NOT NULL DEFAULT 0, confirmed int NOT NULL DEFAULT 0, rejected int NOT NULL DEFAULT 0, removed int NOT NULL DEFAULT 0,
  claimed_at timestamptz NOT NULL DEFAULT now(), done_at timestamptz);
CREATE INDEX ON _weir.audience_batches (run_id, destination);
COMMENT ON TABLE _weir.audience_batches IS 'What left together, and what came of it; a batch that is not done is sent again as it was.';

CREATE TABLE _weir.audience_changes (
  run_id text NOT NULL, destination text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY,
  action text NOT NULL CHECK (action IN ('add', 'update', 'remove', 'exclude', 'keep', 'forget')), cause text NOT NULL,
  key text NOT NULL, identity text NOT NULL, print bytea NOT NULL, content text NOT NULL,
  identifiers jsonb, fields jsonb, vendor_id text, message text, is_owed boolean NOT NULL DEFAULT false,
  batch bigint, state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'done', 'rejected', 'dropped')),
  PRIMARY KEY (run_id, destination, seq));
CREATE INDEX ON _weir.audience_changes (run_id, destination, batch);
COMMENT ON TABLE _weir.audience_changes IS 'The frozen change sets of pushes. Identifiers and fields are cleared when the push ends.';
`
