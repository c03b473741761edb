// Everything that a review does by keys.

import type { Action } from '../../keys.svelte'
import type { Look } from './Bar.svelte'
import { toasts } from '../../toasts.svelte'
import { nextUnviewed } from './cursor'
import type { Reading } from './reading.svelte'

export interface Deeds {
  at: Reading
  look: Look
  comment: () => void
  onWhole: () => void
  approve: () => void
  request: () => void
  land: () => void
  /** Answers the first criterion that waits; none where none does. */
  judge: ((answer: number) => void) | null
  filter: () => void
  next: (by: 1 | -1) => void
  task: () => void
}

export function actionsOf(deeds: Deeds): Action[] {
  const { at, look, judge } = deeds
  const unviewed = async () => {
    if (!(await at.unviewed())) toasts.say('Every file was viewed')
  }
  const key = (id: string, title: string, keys: string[], run: () => void) => ({
    id: `review.${id}`,
    title,
    group: 'Review',
    keys,
    run,
  })
  return [
    key('down', 'Next line', ['arrowdown'], () => at.line(1)),
    key('up', 'Line before', ['arrowup'], () => at.line(-1)),
    key('extend.down', 'Choose the next line too', ['shift+arrowdown'], () => at.line(1, true)),
    key('extend.up', 'Choose the line before too', ['shift+arrowup'], () => at.line(-1, true)),
    key('file.next', 'Next file', ['j'], () => at.toFile(at.here() + 1)),
    key('file.before', 'File before', ['k'], () => at.toFile(at.here() - 1)),
    key('hunk.next', 'Next change', ['n'], () => void at.change(1)),
    key('hunk.before', 'Change before', ['p'], () => void at.change(-1)),
    key('unviewed', 'Next change that was not viewed', ['u'], () => void unviewed()),
    key('unviewed.file', 'Next file that was not viewed', ['shift+u'], () =>
      at.toFile(nextUnviewed(at.diff.files, at.here())),
    ),
    key('viewed', 'Mark the file as viewed, or not', ['v'], () => at.mark()),
    key('fold', 'Fold or unfold the file', ['x'], () => at.fold()),
    key('comment', 'Comment on the line, the chosen lines or the file', ['c'], deeds.comment),
    key('whole', 'Comment on the whole', ['shift+c'], deeds.onWhole),
    key('approve', 'Approve', ['a'], deeds.approve),
    key('request', 'Request changes', ['r'], deeds.request),
    ...(judge
      ? [
          key('holds', 'The first criterion that waits holds', ['m 1'], () => judge(1)),
          key('misses', 'The first criterion that waits does not hold', ['m 2', 'm w'], () => judge(2)),
        ]
      : []),
    key('land', 'Land', ['l'], deeds.land),
    key('filter', 'Filter files', ['/', 'f'], deeds.filter),
    key('spaces', 'Ignore white space, or not', ['i'], () => (look.ignoring = !look.ignoring)),
    key(
      'split',
      'Both sides beside each other, or one below the other',
      ['s'],
      () => (look.split = !look.split),
    ),
    key('wrap', 'Break long lines, or not', ['w'], () => (look.wrap = !look.wrap)),
    key('next', 'Next review', [']'], () => deeds.next(1)),
    key('before', 'Review before', ['['], () => deeds.next(-1)),
    key('task', 'Open the task', ['t'], deeds.task),
  ]
}
