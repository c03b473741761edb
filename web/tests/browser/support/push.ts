/** A push service on this machine, and the browser whose messages it takes: Chromium has none without a desktop. */
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'

export class PushService {
  /** What came, opened as the browser opens it (RFC 8291). */
  readonly messages: string[] = []
  private readonly key = createECDH('prime256v1')
  private readonly auth = randomBytes(16)

  private constructor(private readonly server: Server) {}

  static async start(): Promise<PushService> {
    const server = createServer()
    const service = new PushService(server)
    service.key.generateKeys()
    server.on('request', (request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        service.messages.push(service.open(Buffer.concat(pieces)))
        response.writeHead(201).end()
      })
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    return service
  }

  /** What Chromium would give a page that subscribes. */
  get subscription() {
    const address = this.server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    return {
      endpoint: `http://127.0.0.1:${port}/send/1`,
      keys: { p256dh: this.key.getPublicKey('base64url'), auth: this.auth.toString('base64url') },
    }
  }

  async end(): Promise<void> {
    await new Promise((ended) => this.server.close(ended))
  }

  private open(body: Buffer): string {
    const [salt, sender, sealed] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)]
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.key.getPublicKey(), sender])
    const secret = hkdfSync('sha256', this.key.computeSecret(sender), this.auth, info, 32)
    const derive = (what: string, length: number) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(secret), salt, `Content-Encoding: ${what}\0`, length))
    const opener = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
    opener.setAuthTag(sealed.subarray(-16))
    const filled = Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()])
    return filled.subarray(0, filled.lastIndexOf(2)).toString()
  }
}
