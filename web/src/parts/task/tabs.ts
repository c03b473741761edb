// The tabs of a task, each with an address of its own.

export interface Tab {
  id: string
  title: string
  keys: string
}

export const tabs: Tab[] = [
  { id: 'transcript', title: 'Transcript', keys: '1' },
  { id: 'changes', title: 'Changes', keys: '2' },
  { id: 'evidence', title: 'Evidence', keys: '3' },
  { id: 'snapshots', title: 'Snapshots', keys: '4' },
  { id: 'resources', title: 'Workspace', keys: '5' },
  { id: 'terminal', title: 'Terminal', keys: '6' },
]

/** The tab of an address; the transcript where it names none. */
export function tabOf(name: string): string {
  return tabs.some((tab) => tab.id === name) ? name : 'transcript'
}

/** The attempt that an address means: the one it names, else the one whose state is the task's. */
export function attemptOf<
  A extends { handle: string; number: number; status: { attention: string; state: string } },
>(task: { status: { attention: string; state: string }; attempts: A[] }, handle: string): A | undefined {
  const named = Number(handle.split('.')[1])
  if (named) return task.attempts.find((attempt) => attempt.number === named)
  const same = (attempt: A) =>
    attempt.status.attention === task.status.attention && attempt.status.state === task.status.state
  return task.attempts.find(same) ?? task.attempts[0]
}
