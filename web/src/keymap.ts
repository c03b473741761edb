// Keys that a person gave to actions, as they are kept.

/** The keys by the name of the action; what is none is passed over. */
export function readKeys(value: unknown): Record<string, string[]> {
  if (typeof value !== 'object' || value === null) return {}
  const isKeys = (keys: unknown): keys is string[] =>
    Array.isArray(keys) && keys.every((key) => typeof key === 'string')
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string[]] => isKeys(entry[1])),
  )
}
