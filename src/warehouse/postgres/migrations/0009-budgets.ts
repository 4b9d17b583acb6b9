/** What each vendor account has spent, where every worker sees it. A logged table: an empty one after a crash would have the account banned. */
export const sql = `
CREATE TABLE _weir.budgets (
  vendor text NOT NULL, account text NOT NULL, budget text NOT NULL, state jsonb, updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (vendor, account, budget)) WITH (fillfactor = 50);
COMMENT ON TABLE _weir.budgets IS 'One row a budget of a vendor account (by its fingerprint): requests under way by process and lately answered, and until when the vendor said to wait. Weir''s own.';
`
