/** How every stream stands now, in numbers that a gauge may show. */
export interface StreamStanding {
  sync: string
  stream: string
  vendor: string
  openSlices: number
  openLetters: number
  /** Since the start of the last run that completed; undefined where none has. */
  freshSeconds?: number
}
