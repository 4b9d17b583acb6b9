export const sql = `
CREATE TABLE _weir.deployments (
  sync text PRIMARY KEY, definition text NOT NULL REFERENCES _weir.definitions (hash), schedule jsonb, environment text,
  applied_at timestamptz NOT NULL DEFAULT now(), applied_by text NOT NULL);
COMMENT ON TABLE _weir.deployments IS 'What weir apply has put in force: the definition that each sync runs by, and when it runs.';
`
