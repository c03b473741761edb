import { beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => {
  localStorage.clear()
  vi.resetModules()
})

test('what is not in the file when the page is left is known by the next one', async () => {
  const page = await import('./kept')
  page.chose('look')
  vi.resetModules()
  const next = await import('./kept')
  expect(next.isUnsaved('look')).toBe(true)
  const heard = vi.fn()
  next.hearChoices(heard)
  expect(heard).toHaveBeenCalledOnce()
})

test('what is chosen while the file is written is still to be written', async () => {
  const { chose, isSaved, isUnsaved, unsavedParts } = await import('./kept')
  chose('keys')
  const [[part, times]] = unsavedParts() as [['keys', number]]
  chose('keys')
  isSaved(part, times)
  expect(isUnsaved('keys')).toBe(true)
  isSaved(...(unsavedParts()[0] as ['keys', number]))
  expect(isUnsaved('keys')).toBe(false)
})
