/** Record ids: 15 case-sensitive characters, and three more that tell the case of the others. Later ids sort behind earlier ones. */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const checks = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'

/** The n-th id of an object with this key prefix. */
export function idOf(prefix: string, n: number): string {
  let tail = ''
  for (let rest = n; tail.length < 6; rest = Math.floor(rest / 62)) tail = digits[rest % 62] + tail
  return withCheck(`${prefix}5g0000${tail}`.slice(0, 15))
}

/** 15 characters to 18: a bit for each capital, five to a letter. */
export function withCheck(id: string): string {
  let check = ''
  for (let block = 0; block < 3; block++) {
    let bits = 0
    for (let i = 0; i < 5; i++) if (/[A-Z]/.test(id[block * 5 + i] ?? '')) bits |= 1 << i
    check += checks[bits]
  }
  return id + check
}
