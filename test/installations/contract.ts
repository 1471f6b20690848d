import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import type {
  IdempotentRequest,
  Installation,
  InstallationStore,
  Resource,
  TransferRequest,
} from '../../src/installations/store.ts'

export const TOKEN = 'token-that-nobody-may-read'

/** Opens a prepared store, which knows what other tests of it stored. */
export type OpenStore = (settings?: { answersForMs?: number }) => Promise<InstallationStore>

export function installationOf(changes: Partial<Installation> = {}): Installation {
  return {
    id: `icfg_${randomUUID()}`,
    scopes: ['read:deployment'],
    acceptedPolicies: { toc: '2026-01-01T00:00:00Z' },
    state: 'active',
    ...changes,
  }
}

export function resourceOf(installationId: string, changes: Partial<Resource> = {}): Resource {
  return {
    id: `db_${randomUUID()}`,
    installationId,
    productId: 'postgres',
    name: 'My database',
    metadata: { region: 'fra1' },
    status: 'ready',
    ...changes,
  }
}

export function requestOf(
  installationId: string,
  changes: Partial<IdempotentRequest> = {},
): IdempotentRequest {
  return { installationId, key: randomUUID(), fingerprint: 'POST /resources 1', ...changes }
}

function transferOf(
  fromInstallationId: string,
  resourceIds: readonly string[],
  changes: Partial<TransferRequest> = {},
): TransferRequest {
  const expiresAtMs = Date.now() + 60_000
  return { claimId: randomUUID(), fromInstallationId, resourceIds, expiresAtMs, ...changes }
}

const secrets = { status: 200, body: '{"secrets":[{"name":"URL","value":"postgres://größe"}]}' }

/** What every store promises. */
export function describeStoreContract(name: string, openStore: OpenStore): void {
  const open: OpenStore = async (settings) => {
    const store = await openStore(settings)
    onTestFinished(() => store.close())
    return store
  }
  /** A store with an installation in it. */
  const withInstallation = async (changes: Partial<Installation> = {}) => {
    const store = await open()
    const installation = installationOf(changes)
    await store.putInstallation(installation, new Secret(TOKEN))
    return { store, installation, id: installation.id }
  }

  describe(`${name}: an installation`, () => {
    test.each([
      ['with all that Vercel may tell of it', installationOf(everything)],
      ['with the least', installationOf({ scopes: [], acceptedPolicies: {} })],
    ])('%s is read as it was stored', async (_, installation) => {
      const store = await open()
      await store.putInstallation(installation, undefined)
      expect(await store.getInstallation(installation.id)).toEqual(installation)
    })

    test('that is stored again is as it was told last, and keeps its token unless another comes', async () => {
      const { store, id } = await withInstallation(everything)
      const again = installationOf({ id, scopes: [] })
      await store.putInstallation(again, undefined)
      expect(await store.getInstallation(id)).toEqual(again)
      expect((await store.accessToken(id))?.reveal()).toBe(TOKEN)
      await store.putInstallation(again, new Secret('another'))
      expect((await store.accessToken(id))?.reveal()).toBe('another')
    })

    test('that is unknown is no error to ask for, and is not made by a change', async () => {
      const store = await open()
      const { id } = installationOf()
      expect(await store.getInstallation(id)).toBeUndefined()
      expect(await store.accessToken(id)).toBeUndefined()
      expect(await store.updateInstallation(id, { state: 'removing' })).toBe(false)
      expect(await store.replaceAccessToken(id, new Secret(TOKEN))).toBe(false)
      expect(await store.listResources(id)).toEqual([])
      expect(await store.getInstallation(id)).toBeUndefined()
      expect(await store.accessToken(id)).toBeUndefined()
    })

    test('is changed in just what is given', async () => {
      const { store, installation, id } = await withInstallation(everything)
      expect(await store.updateInstallation(id, {})).toBe(true)
      expect(await store.getInstallation(id)).toEqual(installation)
      expect(await store.updateInstallation(id, { billingPlanId: 'pro', teamId: 'team_2' })).toBe(
        true,
      )
      const changed = { ...installation, billingPlanId: 'pro', teamId: 'team_2' }
      expect(await store.getInstallation(id)).toEqual(changed)
      await store.updateInstallation(id, { state: 'removing' })
      expect(await store.getInstallation(id)).toEqual({ ...changed, state: 'removing' })
    })

    test('whose removal has begun is not brought back by being stored again', async () => {
      const { store, installation, id } = await withInstallation()
      await store.updateInstallation(id, { state: 'removing' })
      await store.putInstallation({ ...installation, scopes: ['new'] }, undefined)
      expect(await store.getInstallation(id)).toMatchObject({ state: 'removing', scopes: ['new'] })
    })

    test('is listed with the others, in the order of their ids and without any token', async () => {
      const { store, installation } = await withInstallation()
      const other = installationOf(everything)
      await store.putInstallation(other, new Secret(TOKEN))
      const listed = await store.listInstallations()
      expect(listed).toEqual(expect.arrayContaining([installation, other]))
      const ids = listed.map(({ id }) => id)
      expect(ids).toEqual([...ids].sort())
      expect(JSON.stringify(listed)).not.toMatch(/token/i)
    })

    test('without a token has none until one is stored', async () => {
      const store = await open()
      const installation = installationOf()
      await store.putInstallation(installation, undefined)
      expect(await store.accessToken(installation.id)).toBeUndefined()
      expect(await store.replaceAccessToken(installation.id, new Secret(TOKEN))).toBe(true)
      expect((await store.accessToken(installation.id))?.reveal()).toBe(TOKEN)
    })

    test('is forgotten with its token, resources, answers and transfers, and no other is', async () => {
      const { store, installation, id } = await withInstallation()
      const other = installationOf()
      await store.putInstallation(other, new Secret('token of the other'))
      const [resource, kept] = [resourceOf(id), resourceOf(other.id)]
      const [transfer, keptTransfer] = [transferOf(id, []), transferOf(other.id, [kept.id])]
      for (const each of [resource, kept]) await store.putResource(each)
      for (const each of [transfer, keptTransfer]) await store.putTransferRequest(each)
      const [request, keptRequest] = [requestOf(id), requestOf(other.id)]
      for (const each of [request, keptRequest]) {
        await store.recallAnswer(each)
        await store.rememberAnswer(each, secrets)
      }

      await store.removeInstallation(id)
      await store.removeInstallation(id)
      expect(await store.getInstallation(id)).toBeUndefined()
      expect(await store.accessToken(id)).toBeUndefined()
      expect(await store.getResource(id, resource.id)).toBeUndefined()
      expect(await store.getTransferRequest(transfer.claimId)).toBeUndefined()
      expect(await store.recallAnswer(request)).toEqual({ kind: 'new' })
      expect(await store.listInstallations()).not.toContainEqual(installation)

      expect((await store.accessToken(other.id))?.reveal()).toBe('token of the other')
      expect(await store.listResources(other.id)).toEqual([kept])
      expect(await store.getTransferRequest(keptTransfer.claimId)).toEqual(keptTransfer)
      expect(await store.recallAnswer(keptRequest)).toMatchObject({ kind: 'answered' })
    })
  })

  describe(`${name}: a resource`, () => {
    test.each<[string, Partial<Resource>]>([
      ['with the least', {}],
      [
        'with all there may be',
        {
          billingPlanId: 'pro',
          protocolSettings: { storage: { size: 3 } },
          reference: { database: 'db', shards: [1, 2] },
          status: 'suspended',
        },
      ],
      ['whose reference is null', { reference: null }],
      ['whose reference is a text', { reference: 'db' }],
      ['with every kind of character', { name: `o'größe "😀" \\ --`, metadata: { 'a\0b': 'c\0' } }],
      ['with an id that looks like SQL', { id: `'; DROP SCHEMA holdpoint; -- ${randomUUID()}` }],
    ])('%s is read as it was stored', async (_, changes) => {
      const { store, id } = await withInstallation()
      const resource = resourceOf(id, changes)
      await store.putResource(resource)
      expect(await store.getResource(id, resource.id)).toStrictEqual(resource)
      expect(await store.listResources(id)).toStrictEqual([resource])
    })

    test('that is stored again is as it was told last', async () => {
      const { store, id } = await withInstallation()
      const resource = resourceOf(id, { billingPlanId: 'pro', reference: 1 })
      await store.putResource(resource)
      const again = resourceOf(id, { id: resource.id, name: 'Renamed', status: 'error' })
      await store.putResource(again)
      expect(await store.listResources(id)).toStrictEqual([again])
    })

    test('is not seen, changed or removed by another installation', async () => {
      const { store, id } = await withInstallation()
      const other = installationOf()
      await store.putInstallation(other, undefined)
      const resource = resourceOf(id)
      await store.putResource(resource)
      expect(await store.getResource(other.id, resource.id)).toBeUndefined()
      expect(await store.listResources(other.id)).toEqual([])
      await store.removeResource(other.id, resource.id)
      await expect(
        store.putResource({ ...resource, installationId: other.id }),
      ).rejects.toMatchObject({ code: 'resource_foreign', retryable: false })
      expect(await store.getResource(id, resource.id)).toEqual(resource)
    })

    test('is found by its id alone, whoever has it', async () => {
      const { store, id } = await withInstallation()
      const resource = resourceOf(id, { reference: { generation: 1 } })
      expect(await store.findResource(resource.id)).toBeUndefined()
      await store.putResource(resource)
      expect(await store.findResource(resource.id)).toStrictEqual(resource)
    })

    test('is not stored for an installation that is unknown', async () => {
      const store = await open()
      const resource = resourceOf(installationOf().id)
      for (const how of ['putResource', 'addResource'] as const) {
        await expect(store[how](resource)).rejects.toMatchObject({
          code: 'installation_unknown',
          retryable: false,
          message: expect.stringContaining(resource.id),
        })
      }
    })

    test('is added once, and left as it is from then on, whoever has it', async () => {
      const { store, id } = await withInstallation()
      const other = installationOf()
      await store.putInstallation(other, undefined)
      const resource = resourceOf(id)
      const added = await Promise.all(Array.from({ length: 5 }, () => store.addResource(resource)))
      expect(added.filter(Boolean)).toHaveLength(1)
      expect(await store.addResource({ ...resource, status: 'pending' })).toBe(false)
      expect(await store.addResource({ ...resource, installationId: other.id })).toBe(false)
      expect(await store.getResource(id, resource.id)).toEqual(resource)
      expect(await store.listResources(other.id)).toEqual([])
    })

    test('is gone when it was removed, the second time too', async () => {
      const { store, id } = await withInstallation()
      const [resource, other] = [resourceOf(id), resourceOf(id)]
      for (const each of [resource, other]) await store.putResource(each)
      await store.removeResource(id, resource.id)
      await store.removeResource(id, resource.id)
      expect(await store.listResources(id)).toEqual([other])
    })
  })

  describe(`${name}: a request with a key`, () => {
    test('is new until its answer is kept, and then answered the same each time', async () => {
      const { store, id } = await withInstallation()
      const request = requestOf(id)
      expect(await store.recallAnswer(request)).toEqual({ kind: 'new' })
      expect(await store.recallAnswer(request)).toEqual({ kind: 'new' })
      await store.rememberAnswer(request, secrets)
      await store.rememberAnswer(request, { status: 500, body: 'a later one' })
      for (let time = 0; time < 2; time++)
        expect(await store.recallAnswer(request)).toEqual({ kind: 'answered', answer: secrets })
    })

    test('keeps the key from other requests, while it is under way and when it is answered', async () => {
      const { store, id } = await withInstallation()
      const request = requestOf(id)
      const other = { ...request, fingerprint: 'POST /resources 2' }
      await store.recallAnswer(request)
      expect(await store.recallAnswer(other)).toEqual({ kind: 'other-request' })
      await store.rememberAnswer(other, { status: 200, body: 'of the other' })
      await store.rememberAnswer(request, secrets)
      expect(await store.recallAnswer(other)).toEqual({ kind: 'other-request' })
      expect(await store.recallAnswer(request)).toEqual({ kind: 'answered', answer: secrets })
    })

    test('has nothing to do with one of another installation', async () => {
      const { store, id } = await withInstallation()
      const request = requestOf(id)
      await store.recallAnswer(request)
      await store.rememberAnswer(request, secrets)
      const elsewhere = { ...request, installationId: installationOf().id }
      expect(await store.recallAnswer(elsewhere)).toEqual({ kind: 'new' })
    })

    test('may come before its installation is stored', async () => {
      const store = await open()
      const installation = installationOf()
      const request = requestOf(installation.id)
      expect(await store.recallAnswer(request)).toEqual({ kind: 'new' })
      await store.putInstallation(installation, undefined)
      await store.rememberAnswer(request, secrets)
      expect(await store.recallAnswer(request)).toMatchObject({ kind: 'answered' })
    })

    test('leaves no answer when its installation was removed meanwhile', async () => {
      const { store, id } = await withInstallation()
      const request = requestOf(id)
      await store.recallAnswer(request)
      await store.removeInstallation(id)
      await store.rememberAnswer(request, secrets)
      expect(await store.recallAnswer(request)).toEqual({ kind: 'new' })
    })

    test('is new again when its time is over, and so is its key', async () => {
      const store = await open({ answersForMs: 1 })
      const request = requestOf(installationOf().id)
      await store.recallAnswer(request)
      await store.rememberAnswer(request, secrets)
      await vi.waitFor(async () =>
        expect(await store.recallAnswer({ ...request, fingerprint: 'other' })).toEqual({
          kind: 'new',
        }),
      )
    })
  })

  describe(`${name}: a transfer`, () => {
    /** Two installations, of which the first offers one of its two resources. */
    const offered = async (changes: Partial<TransferRequest> = {}) => {
      const { store, id: from } = await withInstallation()
      const { id: to } = installationOf()
      await store.putInstallation(installationOf({ id: to }), undefined)
      const [moving, staying] = [resourceOf(from), resourceOf(from)]
      for (const each of [moving, staying]) await store.putResource(each)
      const transfer = transferOf(from, [moving.id], changes)
      await store.putTransferRequest(transfer)
      return { store, from, to, moving, staying, transfer, claimId: transfer.claimId }
    }

    test('moves what was offered and nothing else, once', async () => {
      const { store, from, to, moving, staying, transfer, claimId } = await offered()
      await store.putTransferRequest(transfer)
      expect(await store.getTransferRequest(claimId)).toEqual(transfer)
      expect(await store.acceptTransferRequest(claimId, to, Date.now())).toBe(true)
      expect(await store.listResources(from)).toEqual([staying])
      expect(await store.listResources(to)).toEqual([{ ...moving, installationId: to }])
      expect(await store.getTransferRequest(claimId)).toBeUndefined()
      expect(await store.acceptTransferRequest(claimId, from, Date.now())).toBe(false)
      expect(await store.listResources(to)).toHaveLength(1)
    })

    test('whose answer was lost is answered the same again, and moves nothing again', async () => {
      const { store, from, to, moving, transfer, claimId } = await offered()
      await store.acceptTransferRequest(claimId, to, Date.now())
      // Given back meanwhile.
      const back = transferOf(to, [moving.id])
      await store.putTransferRequest(back)
      await store.acceptTransferRequest(back.claimId, from, Date.now())
      expect(await store.acceptTransferRequest(claimId, to, transfer.expiresAtMs)).toBe(true)
      expect(await store.listResources(to)).toEqual([])
      expect(await store.listResources(from)).toHaveLength(2)
      await store.putTransferRequest(transfer)
      expect(await store.getTransferRequest(claimId)).toBeUndefined()
    })

    test('is accepted by one of those who accept it at the same moment', async () => {
      const { store, to, claimId } = await offered()
      const others = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const other = installationOf()
          await store.putInstallation(other, undefined)
          return other.id
        }),
      )
      const taken = await Promise.all(
        [to, ...others].map((id) => store.acceptTransferRequest(claimId, id, Date.now())),
      )
      expect(taken.filter(Boolean)).toHaveLength(1)
      const owned = await Promise.all([to, ...others].map((id) => store.listResources(id)))
      expect(owned.map((resources) => resources.length > 0)).toEqual(taken)
    })

    test('that is unknown or expired moves nothing, and an expired one can still be read', async () => {
      const { store, to, transfer, claimId } = await offered()
      expect(await store.acceptTransferRequest(randomUUID(), to, Date.now())).toBe(false)
      const later = transfer.expiresAtMs
      expect(await store.acceptTransferRequest(claimId, to, later)).toBe(false)
      expect(await store.listResources(to)).toEqual([])
      expect(await store.getTransferRequest(claimId)).toEqual(transfer)
      expect(await store.acceptTransferRequest(claimId, to, later - 1)).toBe(true)
    })

    test('never moves what the offering installation does not have', async () => {
      const { store, from, to } = await offered()
      const bystander = installationOf()
      await store.putInstallation(bystander, undefined)
      const resource = resourceOf(bystander.id)
      await store.putResource(resource)
      const transfer = transferOf(from, [resource.id])
      await store.putTransferRequest(transfer)
      expect(await store.acceptTransferRequest(transfer.claimId, to, Date.now())).toBe(true)
      expect(await store.listResources(bystander.id)).toEqual([resource])
      expect(await store.listResources(to)).toEqual([])
    })

    test('to an installation that is unknown or being removed fails, and the offer stays', async () => {
      const { store, from, to, claimId } = await offered()
      await store.updateInstallation(to, { state: 'removing' })
      for (const target of [to, installationOf().id]) {
        await expect(
          store.acceptTransferRequest(claimId, target, Date.now()),
        ).rejects.toMatchObject({ code: 'installation_unknown', retryable: false })
      }
      expect(await store.listResources(from)).toHaveLength(2)
      expect(await store.getTransferRequest(claimId)).toBeDefined()
    })

    test('of an installation that is being removed moves nothing', async () => {
      const { store, from, to, claimId } = await offered()
      await store.updateInstallation(from, { state: 'removing' })
      expect(await store.acceptTransferRequest(claimId, to, Date.now())).toBe(false)
      expect(await store.listResources(from)).toHaveLength(2)
    })

    test('is not offered by an installation that is unknown', async () => {
      const store = await open()
      await expect(
        store.putTransferRequest(transferOf(installationOf().id, [])),
      ).rejects.toMatchObject({ code: 'installation_unknown', retryable: false })
    })
  })

  test(`${name}: can be closed twice`, async () => {
    const store = await open()
    await store.close()
    await store.close()
    expect(await store.check()).toEqual(expect.any(Array))
  })
}

const everything: Partial<Installation> = {
  teamId: 'team_1',
  account: { name: 'Größe', url: 'https://vercel.com/x', contact: { email: 'a@example.com' } },
  scopes: ['a', 'b"c', ''],
  billingPlanId: 'free',
}
