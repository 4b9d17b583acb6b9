/**
 * What is known of names that come in the same order again and again, as the fields of records do: what stood at a place before is looked at
 * first, which costs a comparison of pointers instead of a look into a table.
 */
export class InOrder<T> {
  private readonly names: string[] = []
  private readonly found: T[] = []

  /** @param find the same answer whenever it is asked for a name */
  constructor(private readonly find: (name: string) => T) {}

  /** @param place of the name in its record, from 0 and without gaps */
  at(place: number, name: string): T {
    if (this.names[place] !== name) {
      this.found[place] = this.find(name)
      this.names[place] = name
    }
    return this.found[place]!
  }
}
