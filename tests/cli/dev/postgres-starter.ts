/** A process that starts a PostgreSQL in the folder it is given, says where, and waits: tests end it as roughly as they like. */
import { startPostgres } from '../../../cli/dev/postgres.js'

const [dataDir = '', port = ''] = process.argv.slice(2)
const server = await startPostgres({ dataDir, port: Number(port), settings: { fsync: 'off' } })
console.log(JSON.stringify({ url: server.url, pid: server.pid, uid: process.getuid?.() }))
process.stdin.on('end', () => server.stop()).resume()
