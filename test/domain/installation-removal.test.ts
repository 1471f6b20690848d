import { expect, test } from 'vitest'
import { removalWorkflowId } from '../../src/domain/installation-removal.ts'

test('each installation has one removal, whoever asks for it', () => {
  expect(removalWorkflowId('icfg_1')).toBe('installation-removal~icfg_1')
  expect(removalWorkflowId('icfg_1')).not.toBe(removalWorkflowId('icfg_2'))
})
