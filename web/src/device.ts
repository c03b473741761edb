// What this browser calls itself in the list of devices.

const BROWSERS: [RegExp, string][] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/\b(iPhone|iPod)\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** `Firefox on Android`, from what a browser says it is. */
export function deviceName(agent: string): string {
  const first = (table: [RegExp, string][]) => table.find(([pattern]) => pattern.test(agent))?.[1]
  const system = first(SYSTEMS)
  return `${first(BROWSERS) ?? 'Browser'}${system ? ` on ${system}` : ''}`
}

/** The code in a link that lets a browser in, or the code itself; none in anything else. */
export function codeIn(text: string): string | null {
  const code = text.trim().split('#').pop() ?? ''
  return /^[0-9a-f]{64}$/.test(code) ? code : null
}
