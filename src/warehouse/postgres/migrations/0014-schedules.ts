/** What is in force says when: by the clock, or after which other syncs; and what of it people have stopped. */
export const sql = `
ALTER TABLE _weir.deployments ADD COLUMN after text[] NOT NULL DEFAULT '{}', ADD COLUMN schedule_mark text,
  ADD COLUMN paused text, ADD COLUMN retired_at timestamptz;
COMMENT ON TABLE _weir.deployments IS 'What weir apply has put in force: the definition that each sync runs by, and when it runs: by its schedule, or when each sync of "after" has completed. paused says why one that runs after others is stopped, and by whom; schedule_mark tells whether somebody changed the schedule in Temporal since; retired_at, since when the sync is in the project file no more.';
CREATE TABLE _weir.installation (id uuid NOT NULL DEFAULT gen_random_uuid(), created_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE _weir.installation IS 'One row: what tells this warehouse from others that share a Temporal namespace with it.';
INSERT INTO _weir.installation DEFAULT VALUES;
CREATE INDEX ON _weir.runs (sync, finished_at);
`
