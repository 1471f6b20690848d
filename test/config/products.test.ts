import { z } from 'zod'
import { describe, expect, test } from 'vitest'
import { defineConfig } from '../../src/config/define-config.ts'
import { driversOf } from '../../src/config/drivers-of.ts'
import { provisionResource } from '../../src/products/provision-resource.ts'
import { memoryUnderTest } from '../testing/memory-driver.ts'

const steps = {
  provision: () => Promise.resolve(),
  secrets: () => Promise.resolve({}),
  deprovision: () => Promise.resolve(),
}
const plan = { id: 'free', type: 'subscription', name: 'Free', description: 'For trying it out' }

/** Checks a product as an operator may have written it, whatever its type. */
const declare = (product: object) =>
  defineConfig({
    actions: {},
    products: { database: { name: 'Database', ...steps, ...product } },
  }).products.get('database')

test('none are declared unless some are written', () => {
  expect(defineConfig({ actions: {} }).products).toEqual(new Map())
})

test('a product has its slug, its definition as it is written, and its defaults', () => {
  const definition = provisionResource({ name: 'Database', ...steps })
  const { products } = defineConfig({ actions: {}, products: { database: definition } })
  expect(products.get('database')).toEqual({
    slug: 'database',
    definition,
    deadlineMs: 10 * 60_000,
    keepOldSecretsMs: 24 * 3_600_000,
  })
})

test('its durations are taken as they are written', () => {
  expect(declare({ deadline: '90 seconds', keepOldSecrets: '0' })).toMatchObject({
    deadlineMs: 90_000,
    keepOldSecretsMs: 0,
  })
})

test('its plans may be a list or a function, and its metadata any zod schema', () => {
  const metadata = z.object({ region: z.string() })
  const plans = [plan, { ...plan, id: 'pro', cost: '$5', highlightedDetails: [] }]
  expect(declare({ plans, metadata })?.definition).toMatchObject({ plans, metadata })
  const ask = () => Promise.resolve([])
  expect(declare({ plans: ask })?.definition.plans).toBe(ask)
})

describe('what would be met only by a customer is refused, with the field named', () => {
  test.each<[string, object, string]>([
    ['no name', { name: '' }, 'products.database.name'],
    ['no provision', { provision: undefined }, 'products.database.provision: must be a function'],
    ['no secrets', { secrets: 'x' }, 'products.database.secrets: must be a function'],
    ['no undo', { deprovision: undefined }, 'products.database.deprovision: must be a function'],
    ['a step that is none', { rotate: true }, 'products.database.rotate: must be a function'],
    ['metadata', { metadata: {} }, 'products.database.metadata: must be a zod schema'],
    [
      'a deadline',
      { deadline: '2 days' },
      "products.database.deadline: must be a duration from '1",
    ],
    ['an endless one', { keepOldSecrets: 'ever' }, 'products.database.keepOldSecrets: must be'],
    ['a long one', { keepOldSecrets: '31 days' }, 'products.database.keepOldSecrets: must be'],
    ['no list', { plans: 'free' }, 'products.database.plans'],
    ['a plan', { plans: [{ ...plan, type: 'gift' }] }, 'products.database.plans.0.type'],
    ['a second one', { plans: [plan, plan] }, 'products.database.plans.1.id: must not be that of'],
  ])('%s', (_, product, message) => {
    expect(() => declare(product)).toThrow(message)
  })

  test('a slug that does not fit in a URL', () => {
    const products = { 'My database': { name: 'Database', ...steps } }
    expect(() => defineConfig({ actions: {}, products })).toThrow('products.My database')
  })
})

test('its driver is one of the drivers, once', () => {
  const { driver } = memoryUnderTest()
  const products = {
    one: provisionResource({ name: 'One', ...steps, driver }),
    other: provisionResource({ name: 'Other', ...steps, driver }),
  }
  expect(driversOf(defineConfig({ actions: {}, products }))).toEqual([driver])
})
