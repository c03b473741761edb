import { expect, test } from 'vitest'

import { readLook, usual } from './look.svelte'

test('what was chosen is read, and what cannot be read is the usual', () => {
  expect(readLook('{"theme":"dark","density":"dense","times":"absolute"}')).toEqual({
    theme: 'dark',
    density: 'dense',
    times: 'absolute',
  })
  expect(readLook('{"theme":"purple","density":7}')).toEqual(usual)
  for (const broken of [null, 'no', 'null', '[]', '"dark"']) expect(readLook(broken)).toEqual(usual)
})

test('colours that were kept before are still meant', () => {
  expect(readLook(null, 'dark').theme).toBe('dark')
  expect(readLook('{"theme":"light"}', 'dark').theme).toBe('light')
})
