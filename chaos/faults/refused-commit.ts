import { until } from '../../cli/dev/processes.js'
import type { World } from '../world.js'
import type { Fault } from './fault.js'

/** Fails the next transactions that move a checkpoint, after their rows were written; a sequence counts, as it is never rolled back. */
const trigger = (times: number, code: string) => `
  DROP SCHEMA IF EXISTS chaos_fault CASCADE;
  CREATE SCHEMA chaos_fault;
  CREATE SEQUENCE chaos_fault.met;
  CREATE FUNCTION chaos_fault.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('chaos_fault.met') <= ${times} THEN RAISE EXCEPTION 'made to fail' USING ERRCODE = '${code}'; END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER chaos_fault BEFORE UPDATE ON _weir.checkpoints FOR EACH ROW
    WHEN (OLD.position IS DISTINCT FROM NEW.position) EXECUTE FUNCTION chaos_fault.refuse()`

const met = async (world: World) => {
  const [row] = await world.query<{ met: number }>('SELECT CASE WHEN is_called THEN last_value ELSE 0 END::int AS met FROM chaos_fault.met')
  return row!.met
}

const refused = (name: string, code: string, weight: number): Fault => ({
  name,
  weight,
  async inject({ world, random }) {
    const times = random.whole(1, 4)
    await world.query(trigger(times, code))
    try {
      const hit = await until(async () => ((await met(world)) >= times ? true : undefined), 15_000, 50)
      return hit ? undefined : `only ${await met(world)} of ${times} transactions came by in 15 s`
    } finally {
      // The trigger first: a transaction that is about to count in the sequence must not wait for us while we wait for it.
      await world.query('DROP TRIGGER chaos_fault ON _weir.checkpoints')
      await world.query('DROP SCHEMA chaos_fault CASCADE')
    }
  },
})

export const refusedCommits: readonly Fault[] = [refused('serialization failure 40001', '40001', 4), refused('deadlock 40P01', '40P01', 3)]
