/** Audiences run by themselves: what is in force of each, and when it is pushed. */
export const sql = `
CREATE TABLE _weir.audience_deployments (
  audience text PRIMARY KEY, definition text NOT NULL REFERENCES _weir.definitions (hash), schedule jsonb, after text[] NOT NULL DEFAULT '{}', environment text,
  applied_at timestamptz NOT NULL DEFAULT now(), applied_by text NOT NULL, schedule_mark text, paused text, retired_at timestamptz);
COMMENT ON TABLE _weir.audience_deployments IS 'What weir apply has put in force of audiences: the definition that each is pushed by, and when: by its schedule, or when each sync of "after" has completed. The columns mean what they mean in deployments.';
ALTER TABLE _weir.audience_runs ADD COLUMN skipped int NOT NULL DEFAULT 0, ADD COLUMN skipped_at timestamptz, ADD COLUMN notes jsonb;
COMMENT ON COLUMN _weir.audience_runs.skipped IS 'Pushes that came due while this one was under way, or waited for a decision, and were left out; skipped_at is the newest of them.';
`
