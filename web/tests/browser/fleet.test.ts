/** The fleet: who worked when, in words too, and what it cost. */
import { expect, test } from './support/test'

test('work, cost and what is stuck are shown', async ({ desk, phone, daemon }) => {
  const { page } = desk
  const repository = daemon.repository()
  const paid = await daemon.give(
    repository,
    'edit calc.py replace "a - b" with "a + b"\nusage input 1200 output 80 cost 0.02',
    { title: 'Paid work', permissions: 'all' },
  )
  await daemon.until(paid.handle, 'in_review')
  const idle = await daemon.give(repository, 'say "Nothing to do."', { title: 'Idle work' })
  await daemon.until(idle.handle, 'needs_you')
  await desk.open('/fleet')
  await desk.sees(page.getByRole('heading', { name: 'Who worked when' }))
  const line = page.getByRole('region', { name: 'Who worked when' }).getByRole('listitem')
  const paidLine = line.filter({ hasText: 'Paid work' })
  expect(await paidLine.innerText()).toContain('waits for you')
  // A line opens without a pointer, and says in words what its bars show.
  await paidLine.locator('summary').focus()
  await desk.press('Enter')
  await desk.sees(paidLine.getByText(/^\d\d:\d\d in review, .* so far$/))
  const now = page.getByRole('region', { name: /^Now/ }).getByRole('listitem')
  await desk.sees(now.filter({ hasText: 'Paid work' }).getByText(/nothing is proven|checks? passed/))
  await desk.sees(page.getByRole('row', { name: /t1 Paid work 1 .* 1\.3k \$0\.020/ }))
  await desk.sees(page.getByRole('row', { name: /rehearsal 2/ }))
  await desk.sees(page.getByRole('region', { name: /^Stuck/ }).getByText('Idle work'))
  await desk.sees(page.getByText(/load [\d.]+ on \d+ cores?/))
  await page.getByRole('button', { name: '7 days' }).click()
  await desk.sees(page.getByRole('row', { name: /t1 Paid work/ }))
  expect(new URL(page.url()).search).toBe('?range=7d')
  await page.reload()
  await desk.sees(page.getByRole('button', { name: '7 days', pressed: true }))

  await phone.open('/fleet')
  const onPhone = phone.page.getByRole('region', { name: 'Who worked when' }).getByRole('listitem')
  await onPhone.filter({ hasText: 'Paid work' }).locator('summary').tap()
  await phone.sees(onPhone.filter({ hasText: 'Paid work' }).getByText(/so far$/))
  await phone.sees(phone.page.getByRole('region', { name: /^Stuck/ }).getByText('Idle work'))
  expect(await phone.overflows()).toBe(0)
})
