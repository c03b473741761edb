// What becomes of a comment, in words and signs.

import type { CommentStage } from '../../api/protocol'

export const stages: Record<CommentStage, { title: string; sign: string }> = {
  draft: { title: 'Draft', sign: '✎' },
  sent: { title: 'Sent', sign: '→' },
  answered: { title: 'Answered', sign: '↩' },
  outdated: { title: 'Outdated', sign: '⌀' },
  resolved: { title: 'Resolved', sign: '✓' },
  reopened: { title: 'Reopened', sign: '↻' },
}
