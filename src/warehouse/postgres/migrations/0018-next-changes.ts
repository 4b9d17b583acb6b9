/** The next changes of a push are found without reading those that have left. */
export const sql = `
CREATE INDEX audience_changes_next ON _weir.audience_changes (run_id, destination, action, seq) WHERE state = 'pending';
`
