import { describe, expect, test } from 'vitest'
import {
  chooseStrategy,
  type CopyConditions,
  requireStrategy,
} from '../../src/drivers/postgres/choose-strategy.ts'

const MB = 1_000_000
const ordinary: CopyConditions = {
  serverVersion: 18_00_04,
  sizeBytes: 10 * MB,
  sharedBuffersBytes: 128 * MB,
  clones: false,
}

describe('the strategy of a copy', () => {
  test.each<[string, Partial<CopyConditions>, string]>([
    ['a small source is copied through the log', {}, 'wal-log'],
    ['one below 500 MB too', { sizeBytes: 500 * MB - 1 }, 'wal-log'],
    ['a large one by files', { sizeBytes: 500 * MB }, 'file-copy'],
    [
      'not so where the buffers may hold more of others than it has itself',
      { sizeBytes: 8_000 * MB, sharedBuffersBytes: 8_000 * MB + 1 },
      'wal-log',
    ],
    [
      'but where it is as large as the buffers',
      { sizeBytes: 8_000 * MB, sharedBuffersBytes: 8_000 * MB },
      'file-copy',
    ],
    ['a server that clones does from 100 MB on', { clones: true, sizeBytes: 100 * MB }, 'clone'],
    [
      'whatever its buffers hold',
      { clones: true, sizeBytes: 100 * MB, sharedBuffersBytes: 8_000 * MB },
      'clone',
    ],
    [
      'and copies what is smaller through the log',
      { clones: true, sizeBytes: 100 * MB - 1 },
      'wal-log',
    ],
    ['a source of unknown size is copied through the log', { sizeBytes: undefined }, 'wal-log'],
    ['also where the server clones', { sizeBytes: undefined, clones: true }, 'wal-log'],
    [
      'Postgres 15 chooses like later ones',
      { serverVersion: 15_00_00, sizeBytes: 500 * MB },
      'file-copy',
    ],
    ['Postgres 14 only knows the file copy', { serverVersion: 14_00_22 }, 'file-copy'],
  ])('%s', (_sentence, conditions, strategy) => {
    expect(chooseStrategy({ ...ordinary, ...conditions })).toBe(strategy)
  })

  test.each([
    ['clone', 17_00_06, 18_00_00, /version 17 and the strategy 'clone' needs 18/],
    ['wal-log', 14_00_22, 15_00_00, /version 14 and the strategy 'wal-log' needs 15/],
  ] as const)(
    '%s is refused for good by a server that is too old',
    (strategy, old, young, text) => {
      expect(() => requireStrategy(strategy, old)).toThrow(
        expect.objectContaining({
          code: 'strategy_unsupported',
          retryable: false,
          message: expect.stringMatching(text),
        }),
      )
      expect(() => requireStrategy(strategy, young)).not.toThrow()
    },
  )
})
