import { expect, test } from 'vitest'

import { codeIn, deviceName } from './device'

test('a browser is called by what it is and what it runs on', () => {
  const linux = 'Mozilla/5.0 (X11; Linux x86_64)'
  expect(deviceName(`${linux} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0 Safari/537.36`)).toBe(
    'Chrome on Linux',
  )
  expect(deviceName(`${linux}; rv:140.0) Gecko/20100101 Firefox/140.0`)).toBe('Firefox on Linux')
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15'
  expect(deviceName(`${iphone} Version/18.1 Mobile/15E148 Safari/604.1`)).toBe('Safari on iPhone')
  expect(deviceName('Mozilla/5.0 (Linux; Android 15) Chrome/144.0 Mobile Safari/537.36 EdgA/144.0')).toBe(
    'Edge on Android',
  )
  expect(deviceName('something else')).toBe('Browser')
})

test('a code is taken from a link or as it is, and nothing else is one', () => {
  const code = '0123456789abcdef'.repeat(4)
  expect(codeIn(` https://divisi.example.net/enter#${code}\n`)).toBe(code)
  expect(codeIn(code)).toBe(code)
  expect(codeIn('https://divisi.example.net/enter')).toBeNull()
  expect(codeIn(code.slice(1))).toBeNull()
  expect(codeIn('')).toBeNull()
})
