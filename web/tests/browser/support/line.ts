/** The line between browser and daemon, which can be cut or fall silent as a network does. */
import http from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export class Line {
  private readonly sockets = new Set<Socket>()
  private isCut = false

  private constructor(private readonly server: http.Server) {}

  /** A forward proxy on a free port; whoever is told of it asks through it. */
  static async lay(): Promise<Line> {
    const server = http.createServer((asked, answer) => {
      const { method, headers } = asked
      // The daemon's name is looked up by browsers alone; it means this machine.
      const to = new URL(asked.url ?? '')
      const where = { host: '127.0.0.1', port: to.port, path: to.pathname + to.search }
      const onward = http.request({ ...where, method: method ?? 'GET', headers }, (from) => {
        answer.writeHead(from.statusCode ?? 502, from.headers)
        answer.flushHeaders()
        from.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      answer.on('close', () => onward.destroy())
      asked.pipe(onward)
    })
    // What goes on for long in both directions is not looked into.
    server.on('connect', (asked, socket: Socket) => {
      const onward = connect(Number(asked.url?.split(':').at(-1)), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
    const line = new Line(server)
    server.on('connection', (socket) => {
      if (line.isCut) return void socket.destroy()
      line.sockets.add(socket)
      socket.on('close', () => line.sockets.delete(socket))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    return line
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Every connection breaks, and no new one comes about. */
  cut(): void {
    this.isCut = true
    for (const socket of this.sockets) socket.destroy()
  }

  mend(): void {
    this.isCut = false
  }

  async end(): Promise<void> {
    this.cut()
    await new Promise((closed) => this.server.close(closed))
  }
}
