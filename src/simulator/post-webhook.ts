/** The answer to a webhook. */
export interface WebhookAnswer {
  readonly status: number
  readonly body: string
}

/** One POST of these bytes. Rejects when no answer came; a redirect is an answer and is not followed. */
export async function postWebhook(
  url: string,
  request: {
    readonly rawBody: string | Uint8Array
    readonly signature: string | null
    readonly headers: Readonly<Record<string, string>>
  },
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...request.headers,
      'content-type': 'application/json',
      ...(request.signature !== null && { 'x-vercel-signature': request.signature }),
    },
    body: request.rawBody,
    redirect: 'manual',
    signal,
  })
  return { status: response.status, body: await response.text() }
}

/** What an error of `fetch` says, with the cause that Node hides one level down. */
export function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
