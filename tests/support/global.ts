/** What the whole test run shares is started here, once, and stopped at its end. */
export default async function setup(): Promise<() => Promise<void>> {
  return async () => {}
}
