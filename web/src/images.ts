// Images for a prompt: what of a paste or a drop is one, and how it is stored before the prompt that names it.

import { Failure, postBytes } from './api/client'
import type { ImageRequest, ImageView } from './api/protocol'

/** Bounds of the daemon, which has the last word. */
export const IMAGES_MAX = 8
export const IMAGE_BYTES_MAX = 4 * 1024 * 1024

/** What the file picker offers. */
export const ACCEPT = 'image/png,image/jpeg,image/gif,image/webp'

/** The images in a paste, a drop or a pick; what else is in it is none of ours. */
export function imagesIn(data: Pick<DataTransfer, 'files'> | null): File[] {
  return [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'))
}

/** Whether something that is dragged may hold an image; which one is told only when it is dropped. */
export function mayHoldImages(data: Pick<DataTransfer, 'types'> | null): boolean {
  return data?.types.includes('Files') ?? false
}

/** Stores files and gives all images that the prompt has then; the same one twice is one. */
export async function added(images: ImageView[], files: File[]): Promise<ImageView[]> {
  let all = images
  for (const file of files) {
    if (file.size > IMAGE_BYTES_MAX)
      throw new Failure(
        'too_large',
        `${file.name} is larger than ${IMAGE_BYTES_MAX / 1024 / 1024} MiB`,
        'make it smaller, or cut out what matters',
      )
    const stored = await postBytes<ImageView>(`/v1/images?name=${encodeURIComponent(file.name)}`, file)
    if (all.some((image) => image.hash === stored.hash)) continue
    if (all.length >= IMAGES_MAX)
      throw new Failure('limit', `a prompt has at most ${IMAGES_MAX} images`, 'remove one first')
    all = [...all, stored]
  }
  return all
}

/** As the daemon is told of them. */
export function named(images: ImageView[]): ImageRequest[] {
  return images.map(({ hash, name }) => ({ hash, name }))
}

/** Where the bytes of an image are. */
export function addressOf(image: { hash: string }): string {
  return `/v1/images/${encodeURIComponent(image.hash)}`
}
