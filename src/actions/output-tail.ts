import { stripVTControlCharacters } from 'node:util'

const KEPT_CHARACTERS = 64 * 1024
const LONGEST_PROGRESS = 200

/** The end of what a program prints, for people: without colours, and without secrets. */
export class OutputTail {
  readonly #scrub: (text: string) => string
  #kept = ''
  #isCut = false

  constructor(scrub: (text: string) => string) {
    this.#scrub = scrub
  }

  add(text: string): void {
    this.#kept += text
    if (this.#kept.length < 2 * KEPT_CHARACTERS) return
    this.#kept = this.#kept.slice(-KEPT_CHARACTERS)
    this.#isCut = true
  }

  /** The last whole line that says something. */
  lastLine(): string | undefined {
    const whole = this.#kept.slice(0, this.#kept.search(/[\r\n][^\r\n]*$/) + 1)
    return this.#lines(whole).at(-1)?.trim().slice(0, LONGEST_PROGRESS)
  }

  /** As many whole lines from the end as this many characters hold; at least the end of the last one. */
  text(characters: number): string {
    const lines = this.#lines(this.#kept)
    let shown = lines.pop()?.slice(-characters) ?? ''
    for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
      if (line.length + 1 + shown.length > characters) break
      shown = `${line}\n${shown}`
    }
    return shown
  }

  /** Scrubbed as a whole and only then cut: half a secret is not recognised. */
  #lines(text: string): string[] {
    // Of a text that was cut, the first line may begin within a secret.
    const whole = this.#isCut ? text.slice(text.search(/[\r\n]/) + 1) : text
    return this.#scrub(stripVTControlCharacters(whole))
      .split(/[\r\n]+/)
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
  }
}
