import { afterEach, describe, expect, test, vi } from 'vitest'

import type { ImageView } from './api/protocol'
import { added, addressOf, IMAGE_BYTES_MAX, IMAGES_MAX, imagesIn, named } from './images'

const image = (hash: string): ImageView => ({ hash, name: `${hash}.png`, media_type: 'image/png', bytes: 1 })
const file = (name: string, type = 'image/png') => new File(['x'], name, { type })

afterEach(() => vi.unstubAllGlobals())

/** A daemon that stores whatever it is given under the name of the file. */
function daemon() {
  const asked = vi.fn((path: string) => {
    const name = new URL(path, 'http://d').searchParams.get('name')!
    return Promise.resolve(new Response(JSON.stringify({ ...image(name.replace('.png', '')), name })))
  })
  vi.stubGlobal('fetch', asked)
  return asked
}

describe('images', () => {
  test('only images are taken out of a drop', () => {
    const files = [file('a.png'), file('b.txt', 'text/plain'), file('c.svg', 'image/svg+xml')]
    const names = imagesIn({ files: files as unknown as FileList }).map((one) => one.name)
    expect(names, 'the daemon says why an SVG is not taken').toEqual(['a.png', 'c.svg'])
    expect(imagesIn(null)).toEqual([])
  })

  test('what is stored is added once', async () => {
    const asked = daemon()
    const all = await added([image('a')], [file('a.png'), file('b c.png')])
    expect(all.map((one) => one.hash)).toEqual(['a', 'b c'])
    expect(asked.mock.calls[1]![0]).toBe('/v1/images?name=b%20c.png')
    expect(named(all)[1]).toEqual({ hash: 'b c', name: 'b c.png' })
    expect(addressOf({ hash: '../x' })).toBe('/v1/images/..%2Fx')
  })

  test('there are bounds, and they are said', async () => {
    daemon()
    const large = Object.defineProperty(file('large.png'), 'size', { value: IMAGE_BYTES_MAX + 1 })
    await expect(added([], [large])).rejects.toThrow('large.png is larger than 4 MiB')
    const many = Array.from({ length: IMAGES_MAX }, (_, index) => image(String(index)))
    await expect(added(many, [file('x.png')])).rejects.toThrow('at most 8 images')
  })
})
