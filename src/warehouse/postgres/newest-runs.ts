/**
 * `newest`: the newest run of each sync. Names first, along the index, then the newest row of each: years of runs are not read for it.
 * @param which a condition on the run `r`
 */
export const newestRuns = (which = 'true'): string => `WITH RECURSIVE names AS (
    (SELECT min(sync) AS name FROM _weir.runs)
    UNION ALL SELECT (SELECT min(sync) FROM _weir.runs WHERE sync > name) FROM names WHERE name IS NOT NULL),
  newest AS (
    SELECT n.* FROM names CROSS JOIN LATERAL (SELECT r.sync, r.definition, r.started_at FROM _weir.runs r
      WHERE r.sync = name AND ${which} ORDER BY r.started_at DESC LIMIT 1) n)`
