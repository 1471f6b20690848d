import { expect, test } from 'vitest'
import { parseJson } from '../../src/domain/parse-json.ts'

test.each([
  ['{"a":[1]}', { a: [1] }],
  ['null', null],
  ['', undefined],
  [' ', undefined],
  ['{"a":', undefined],
])('the text %j says %j', (text, said) => {
  expect(parseJson(text)).toEqual(said)
})
