// What dragging a card does. A card can be started or given another place among those that wait; it can never be dragged into
// a state, because states follow from what happened.

import { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter'

import type { Attention, TaskSummary } from './api/protocol'

export type Drop =
  { does: 'start' } | { does: 'move'; before: string | null } | { does: 'nothing'; why: string }

const WHY =
  'The columns follow from what happened. A card is dragged only to start it or to say which goes first.'

/** What happens when a card is dropped on a column, or before another card in it. */
export function dropOf(task: TaskSummary, column: Attention, before: TaskSummary | null): Drop {
  const from = task.status.attention
  if (from === 'backlog' && column === 'backlog') {
    if (before?.handle === task.handle) return { does: 'nothing', why: '' }
    return { does: 'move', before: before?.handle ?? null }
  }
  if (task.staged && column === 'working') return { does: 'start' }
  return { does: 'nothing', why: from === column ? '' : WHY }
}

/** Makes a card one that can be dragged; where that does nothing, dropping it says why. */
export function dragged(task: () => TaskSummary, onchange: (dragging: boolean) => void) {
  return (element: HTMLElement) =>
    draggable({
      element,
      getInitialData: () => ({ handle: task().handle }),
      onDragStart: () => onchange(true),
      onDrop: () => onchange(false),
    })
}

/** Makes a column or card a place where cards are dropped; `onover` hears the handle of the card above it, or none. */
export function dropped(onover: (handle: string | null) => void, ondrop: (handle: string) => void) {
  return (element: HTMLElement) => {
    const handleOf = (data: Record<string | symbol, unknown>) =>
      typeof data.handle === 'string' ? data.handle : null
    return dropTargetForElements({
      element,
      canDrop: ({ source }) => handleOf(source.data) !== null,
      onDragEnter: ({ source }) => onover(handleOf(source.data)),
      onDragLeave: () => onover(null),
      onDrop: ({ source, location }) => {
        onover(null)
        // A card lies in a column: only the innermost place takes it.
        const handle = handleOf(source.data)
        if (handle && location.current.dropTargets[0]?.element === element) ondrop(handle)
      },
    })
  }
}
