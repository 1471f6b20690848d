import { expect, test } from 'vitest'
import { setEnvironment } from '../../src/actions/set-environment.ts'
import { actionCall } from './action-call.ts'

const action = setEnvironment({
  name: 'Set environment',
  description: 'From the configuration',
  suggest: ['preview'],
  variables: { FLAGS: 'hunter2', EMPTY: '' },
})

test('the outcome is the configuration’s variables, as secrets', async () => {
  const outcome = (await action.outcome?.({ ...actionCall().call, reference: undefined })) ?? {}
  expect(JSON.stringify(outcome)).not.toContain('hunter2')
  const revealed = Object.entries(outcome).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : value.reveal(),
  ])
  expect(revealed).toEqual([
    ['FLAGS', 'hunter2'],
    ['EMPTY', ''],
  ])
})

test('nothing is made at any provider, so there is nothing to undo', () => {
  expect(Object.keys(action)).toEqual(['name', 'description', 'suggest', 'outcome'])
})

test('the declaration shows no value', () => {
  expect(JSON.stringify(action)).not.toContain('hunter2')
  expect(action).toMatchObject({ name: 'Set environment', suggest: ['preview'] })
})
