import type { BranchConnection } from '../drivers/driver.ts'
import { redact } from '../log.ts'

const BLANK = '[redacted]'
/** Whatever shares this many characters in a row with a secret is blanked. */
const TELLING_LENGTH = 12

/**
 * Makes a function that blanks the branch's password and URL in a text that others wrote, and `more` secrets: plain,
 * percent-encoded, in JSON and in base64 (also within a longer text), and every part of 12 characters or more. Of the
 * URL, what stands beside the password is no secret: host, user and database are left where they stand alone.
 */
export function branchScrubber(
  branch: BranchConnection,
  more: readonly string[] = [],
): (text: string) => string {
  const url = branch.url.reveal()
  const secrets = [branch.password.reveal(), ...more].filter((secret) => secret !== '')
  const forms = secrets.flatMap(encodings)
  const wholes = [url, ...encodings(url), ...forms].sort((one, other) => other.length - one.length)
  const parts = new Set([
    ...forms.flatMap((form) => windows(form, 0, form.length)),
    ...forms.flatMap((form) => windowsTouching(url, form)),
  ])
  return (text) => {
    const whole = wholes.reduce((left, secret) => left.replaceAll(secret, BLANK), text)
    return redact(blankParts(whole, parts))
  }
}

/** Every way in which a program may print a text. */
function encodings(text: string): string[] {
  const percent = encodeURIComponent(text)
  return [
    text,
    percent,
    percent.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    JSON.stringify(text).slice(1, -1),
    ...[0, 1, 2].flatMap((offset) => base64At(text, offset)),
  ]
}

/** What base64 makes of the text when so many bytes stand before it, without the characters they share. */
function base64At(text: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
  const sharedBefore = Math.ceil((offset * 8) / 6)
  const whole = Math.floor((bytes.length * 8) / 6)
  const encoded = (form: 'base64' | 'base64url') => bytes.toString(form).slice(sharedBefore, whole)
  // Shorter ones occur by chance.
  return [encoded('base64'), encoded('base64url')].filter((form) => form.length >= 8)
}

/** All parts of the telling length that begin in this range of the text. */
function windows(text: string, from: number, to: number): string[] {
  const starts = Math.min(to, text.length - TELLING_LENGTH + 1) - Math.max(from, 0)
  return Array.from({ length: Math.max(starts, 0) }, (_, index) => {
    const start = Math.max(from, 0) + index
    return text.slice(start, start + TELLING_LENGTH)
  })
}

/** The parts of the text that hold a character of the secret, wherever it stands in it. */
function windowsTouching(text: string, secret: string): string[] {
  const at = text.indexOf(secret)
  return at === -1 ? [] : windows(text, at - TELLING_LENGTH + 1, at + secret.length)
}

function blankParts(text: string, parts: ReadonlySet<string>): string {
  let blanked = ''
  let kept = 0
  for (let start = 0; start + TELLING_LENGTH <= text.length; start += 1) {
    if (!parts.has(text.slice(start, start + TELLING_LENGTH))) continue
    let end = start + TELLING_LENGTH
    while (end < text.length && parts.has(text.slice(end - TELLING_LENGTH + 1, end + 1))) end += 1
    blanked += text.slice(kept, start) + BLANK
    kept = end
    start = end - 1
  }
  return blanked + text.slice(kept)
}
