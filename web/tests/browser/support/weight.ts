/** How much script comes before the board can be used. */
import http from 'node:http'

import type { Visit } from './visit'

/** Bytes of all scripts of the first load, as they are sent. */
export async function firstLoad(visit: Visit): Promise<number> {
  const scripts = new Set<string>()
  visit.page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.add(request.url())
  })
  await visit.open('/')
  await visit.settles()
  if (scripts.size === 0) throw new Error('the page loaded no script at all')
  const sizes = await Promise.all([...scripts].map(packedSize))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function packedSize(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // The daemon's name is looked up by browsers alone; it means this machine.
    const { port, pathname: path } = new URL(url)
    const asked = http.get(
      { host: '127.0.0.1', port, path, headers: { 'accept-encoding': 'gzip' } },
      (answer) => {
        let bytes = 0
        answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
        answer.on('end', () => resolve(bytes))
      },
    )
    asked.on('error', reject)
  })
}
