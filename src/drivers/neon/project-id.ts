/** How Neon's API describes the id of a project. Anything else names none, and never gets into a path. */
const PROJECT_ID = /^[a-z0-9-]{1,60}$/

export function isProjectId(text: string): boolean {
  return PROJECT_ID.test(text)
}
