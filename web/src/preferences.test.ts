import { expect, test } from 'vitest'

import { usual as usualNotices } from './notices'
import { readFile, shared, withPart } from './preferences'

test('a file is read part by part, and a part that is not there is not chosen', () => {
  expect(readFile('')).toEqual({ look: null, keys: null, notifications: null })
  const read = readFile('{"look":{"theme":"dark"},"keys":{"a.b":["x"],"bad":"y"}}')
  expect(read?.look).toEqual({ theme: 'dark', density: 'calm', times: 'relative' })
  expect(read?.keys).toEqual({ 'a.b': ['x'] })
  expect(read?.notifications).toBeNull()
  for (const broken of ['{', '[]', '7']) expect(readFile(broken), broken).toBeNull()
})

test('a part is replaced and the others stay, those too that are not known here', () => {
  const text = withPart('{"later":1,"look":{"theme":"dark"}}', 'keys', { 'a.b': ['x'] })
  expect(JSON.parse(text)).toEqual({ later: 1, look: { theme: 'dark' }, keys: { 'a.b': ['x'] } })
  expect(text.split('\n').length, 'it is for people').toBeGreaterThan(5)
})

test('whether a browser notifies at all stays with the browser', () => {
  expect(shared({ ...usualNotices, on: true })).not.toHaveProperty('on')
})
