// Vercel publishes no bound for texts about an action or a check; 256 characters in all are thought to be safe.
const HEAD = 100
const TAIL = 155

/** Cuts in the middle: what failed stands at the beginning, and what to do, or a program's last words, at the end. */
export function shorten(text: string): string {
  const characters = Array.from(text)
  if (characters.length <= HEAD + 1 + TAIL) return text
  return `${characters.slice(0, HEAD).join('')}…${characters.slice(-TAIL).join('')}`
}
