/** Images in prompts: pasted, dropped and picked, shown where the prompt is, and given to the agent; and the preview. */
import type { Locator } from 'playwright-core'

import { expect, test } from './support/test'
import { until } from './support/until'

/** One red pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=='
const GIF = 'R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=='
const LOOK = '```rehearsal\nexpect 2 images\nwrite seen.txt "two\\n"\n\nturn\nexpect 1 images\n```'

interface WithImages {
  images: { name: string; media_type: string }[]
}

/** Pastes or drops a file into a field, as a browser does it. */
function brings(field: Locator, event: 'paste' | 'drop', name: string, type: string, base64: string) {
  return field.evaluate(
    (element, [event, name, type, base64]) => {
      const bytes = Uint8Array.from(atob(base64!), (sign) => sign.charCodeAt(0))
      const data = new DataTransfer()
      data.items.add(new File([bytes], name!, { type: type! }))
      const how = { bubbles: true, cancelable: true }
      element.dispatchEvent(
        event === 'paste'
          ? new ClipboardEvent('paste', { ...how, clipboardData: data })
          : new DragEvent('drop', { ...how, dataTransfer: data }),
      )
    },
    [event, name, type, base64],
  )
}

for (const size of ['desk', 'phone'] as const) {
  test(`images are given with a new task and a message, and seen in the transcript (${size})`, async ({
    daemon,
    desk,
    phone,
  }) => {
    const visit = size === 'desk' ? desk : phone
    const { page } = visit
    await daemon.post('/v1/projects', { root: daemon.repository().path })
    await visit.open('/new')
    const prompt = page.getByRole('combobox', { name: 'What is wanted' })
    await prompt.fill(`Make it look like this\n\n${LOOK}`)
    await brings(prompt, 'paste', 'shot.png', 'image/png', PNG)
    await visit.sees(page.getByRole('img', { name: 'shot.png' }))
    await brings(prompt, 'drop', 'a\u202Egif.fig', 'image/gif', GIF)
    await visit.sees(page.getByRole('img', { name: 'a[U+202E]gif.fig' }))
    await page.getByLabel('Add images').setInputFiles({
      name: 'again.png',
      mimeType: 'image/png',
      buffer: Buffer.from(PNG, 'base64'),
    })
    await until('nothing is being stored', async () => (await page.getByText('Storing…').count()) === 0)
    expect(await page.getByRole('img').count(), 'the same image again is the same').toBe(2)
    visit.excuse(/status of 400/)
    await brings(prompt, 'drop', 'vector.svg', 'image/svg+xml', 'PHN2Zy8+')
    await visit.sees(page.getByText('is no image that is taken').first())
    expect(await visit.overflows(), 'nothing is wider than the screen').toBe(0)

    // What was stored survives the page, and is really an image.
    await page.reload()
    const shown = page.getByRole('img', { name: 'shot.png' })
    await visit.sees(shown)
    await until('it is drawn', () => shown.evaluate((image: HTMLImageElement) => image.naturalWidth === 1))
    await page.getByLabel('Rehearsal').check()
    await page.getByRole('button', { name: /^Start/ }).click()
    await visit.at('/')
    const task = await daemon.until('t1', 'in_review')
    expect((task as unknown as WithImages).images.map((one) => one.media_type)).toEqual([
      'image/png',
      'image/gif',
    ])

    await visit.open('/tasks/t1')
    await visit.sees(page.getByText('I see image/png of 70 bytes, image/gif of'))
    await visit.sees(page.getByRole('img', { name: 'shot.png' }))
    await visit.sees(page.getByText('shown to the agent').first())

    const composer = page.getByRole('region', { name: 'Words for the agent' })
    await brings(composer.getByRole('textbox'), 'paste', 'mine.png', 'image/png', PNG)
    await visit.sees(composer.getByRole('img', { name: 'mine.png' }))
    await composer.getByRole('textbox').fill('now like this')
    await composer.getByRole('button', { name: /^Send/ }).click()
    await visit.sees(page.getByText('I see image/png of 70 bytes.', { exact: true }))
    // It may be in the queue for a moment, while what the agent answered is shown already.
    await until('what was sent is not there to be sent again', async () => {
      return (await composer.getByRole('img').count()) === 0
    })
    expect(await composer.getByRole('textbox').inputValue()).toBe('')
    expect(await visit.overflows()).toBe(0)
  })
}

test('what is wanted is read as Markdown before it is given out', async ({ desk, daemon }) => {
  const { page } = desk
  await daemon.post('/v1/projects', { root: daemon.repository().path })
  await desk.open('/new')
  const prompt = page.getByRole('combobox', { name: 'What is wanted' })
  await prompt.fill('# Mend it\n\nsee @calc.py, **soon** <img src=x onerror=alert(1)>')
  await prompt.press('Alt+p')
  const read = page.getByRole('tabpanel', { name: 'Preview' })
  await desk.sees(read.getByRole('heading', { name: 'Mend it' }))
  await desk.sees(read.locator('strong', { hasText: 'soon' }))
  expect(await read.innerText()).toContain('see @calc.py, soon <img src=x onerror=alert(1)>')
  expect(await page.getByRole('tab', { name: 'Preview' }).getAttribute('aria-selected')).toBe('true')
  await page.getByRole('tab', { name: 'Preview' }).press('ArrowLeft')
  await desk.sees(prompt)
  expect(await prompt.inputValue()).toContain('@calc.py')
})
