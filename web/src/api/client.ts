// The only place that asks the daemon. Every failure is a `Failure` with a sentence and a hint.

import type { Problem } from './protocol'

/** Why a request was not carried out; nothing was changed, or nobody knows. */
export class Failure extends Error {
  constructor(
    /** `offline` where the daemon was not reached; else the daemon's own word. */
    readonly kind: Problem['kind'] | 'offline',
    message: string,
    readonly hint: string,
  ) {
    super(message)
  }
}

const OFFLINE = 'the daemon cannot be reached'
const OFFLINE_HINT = 'it is tried again by itself; `divisi serve` starts it'

/** Sends a request and gives what comes back as JSON. */
export async function ask<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await send(method, path, body, headers)
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** Sends a request and gives what comes back as text. */
export async function askText(path: string): Promise<string> {
  return (await send('GET', path)).text()
}

/** Sends a request and gives what comes back as bytes. */
export async function askBlob(path: string): Promise<Blob> {
  return (await send('GET', path)).blob()
}

/** Sends a request and gives what comes back piece by piece, until it ends or is not wanted any more. */
export async function askStream(
  path: string,
  ended: AbortSignal,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const { body } = await send('GET', path, undefined, {}, ended)
  if (!body) throw new Failure('internal', 'the daemon answered nothing', '')
  return body.getReader()
}

/** Sends bytes and gives what comes back as JSON. */
export async function postBytes<T>(path: string, bytes: Blob): Promise<T> {
  return (await (await send('POST', path, bytes)).json()) as T
}

export const get = <T>(path: string) => ask<T>('GET', path)
export const post = <T>(path: string, body?: unknown, headers?: Record<string, string>) =>
  ask<T>('POST', path, body, headers)
export const put = <T>(path: string, body?: unknown) => ask<T>('PUT', path, body)
export const remove = <T>(path: string) => ask<T>('DELETE', path)

/** A path below `/v1`; every part is escaped. */
export function path(...parts: (string | number)[]): string {
  return ['/v1', ...parts.map((part) => encodeURIComponent(part))].join('/')
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  ended?: AbortSignal,
): Promise<Response> {
  const init: RequestInit = { method, headers, credentials: 'same-origin' }
  if (ended) init.signal = ended
  if (body !== undefined) {
    const bytes = body instanceof Blob
    init.body = bytes ? body : JSON.stringify(body)
    init.headers = { ...headers, 'content-type': bytes ? 'application/octet-stream' : 'application/json' }
  }
  let response: Response
  try {
    response = await fetch(path, init)
  } catch {
    throw new Failure('offline', OFFLINE, OFFLINE_HINT)
  }
  if (!response.ok) throw await failure(response)
  return response
}

async function failure(response: Response): Promise<Failure> {
  const problem = (await response.json().catch(() => null)) as Problem | null
  if (problem && typeof problem.message === 'string') {
    return new Failure(problem.kind, problem.message, problem.hint ?? '')
  }
  return new Failure('internal', `the daemon answered ${response.status}`, 'its log says more')
}
