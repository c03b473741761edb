// Words and images that were not sent yet, by attempt, as long as the page is open: going to another screen loses none.

import type { ImageView } from '../../api/protocol'

export interface Unsent {
  words: string
  images: ImageView[]
}

export const drafts = new Map<string, Unsent>()
