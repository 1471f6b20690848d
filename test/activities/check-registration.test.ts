import { describe, expect, test } from 'vitest'
import { activitiesForTest, failureOf } from './activities-for-test.ts'

const run = () => Promise.resolve({ conclusion: 'succeeded' as const })
const checks = {
  smoke: { name: 'Smoke', targets: ['preview'], timeout: '10 minutes', run },
  schema: { name: 'Schema', requires: 'build-ready', blocks: 'none', run },
  // Created with each deployment, so not registered.
  old: { api: 'v1', name: 'Old', run },
} as const

async function registering() {
  const activities = await activitiesForTest({}, { checks })
  const { vercel, project } = activities
  const registration = {
    installationId: vercel.installation.id,
    resourceId: 'db/1',
    projectId: project.id,
  }
  return {
    ...activities,
    registration,
    register: () => activities.run('registerChecks', registration),
  }
}

describe('the checks of a configuration', () => {
  test('are registered as they are declared, for the resource', async () => {
    const { register, project } = await registering()
    expect(await register()).toEqual({ created: ['Smoke', 'Schema'], found: [] })
    expect(project.checks).toMatchObject([
      {
        name: 'Smoke',
        requires: 'deployment-url',
        targets: ['preview'],
        timeout: 600,
        externalResourceId: 'db/1',
      },
      { name: 'Schema', requires: 'build-ready', blocks: 'none', targets: ['production'] },
    ])
  })

  test('are found the second time', async () => {
    const { register, project } = await registering()
    await register()
    expect(await register()).toEqual({ created: [], found: ['Smoke', 'Schema'] })
    expect(project.checks).toHaveLength(2)
  })

  test('are found after the answer to the first was lost', async () => {
    const { register, project, vercel } = await registering()
    // The list, then the registration.
    vercel.dials.failNext.push({ match: { kind: 'check' }, answer: 'cut-before' })
    await failureOf(register())
    vercel.dials.failNext.push({
      match: { kind: 'check', method: 'POST' },
      answer: 'cut-after',
    })
    const failure = await failureOf(register())
    expect(failure.nonRetryable).toBe(false)
    expect(await register()).toEqual({ created: ['Schema'], found: ['Smoke'] })
    expect(project.checks).toHaveLength(2)
  })

  test('are those of the resource: another one of the same project has its own', async () => {
    const { register, run, registration, project } = await registering()
    await register()
    const other = { ...registration, resourceId: 'db/2' }
    expect(await run('registerChecks', other)).toMatchObject({ created: ['Smoke', 'Schema'] })
    expect(project.checks).toHaveLength(4)
  })

  test('are not those of the same name that another installation has there', async () => {
    const { register, run, registration } = await registering()
    await register()
    const other = { ...registration, installationId: 'icfg_other' }
    expect(await run('registerChecks', other)).toMatchObject({ created: ['Smoke', 'Schema'] })
  })

  test('that Vercel refuses fail for good and are named, after the others were registered', async () => {
    const { register, project, vercel } = await registering()
    vercel.dials.failNext.push({
      match: { kind: 'check', method: 'POST' },
      answer: { status: 400 },
    })
    const failure = await failureOf(register())
    expect(failure).toMatchObject({ type: 'check_refused', nonRetryable: true })
    expect(failure.message).toContain('Smoke')
    expect(project.checks).toMatchObject([{ name: 'Schema' }])
  })
})
