// All SQL of the store but its schema (`migrations/`), the resealing and the check-up. A parameter that is undefined
// is NULL.

export const INSTALLATION_COLUMNS =
  'id, team_id, account, scopes, accepted_policies, billing_plan_id, state'

// A new installation has no token to keep. A removal that has begun is not taken back.
export const PUT_INSTALLATION = `
  INSERT INTO holdpoint.installations AS known (${INSTALLATION_COLUMNS}, access_token)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (id) DO UPDATE SET
    team_id = excluded.team_id,
    account = excluded.account,
    scopes = excluded.scopes,
    accepted_policies = excluded.accepted_policies,
    billing_plan_id = excluded.billing_plan_id,
    state = CASE known.state WHEN 'removing' THEN known.state ELSE excluded.state END,
    access_token = coalesce(excluded.access_token, known.access_token)`

export const GET_INSTALLATION = `
  SELECT ${INSTALLATION_COLUMNS} FROM holdpoint.installations WHERE id = $1`

export const LIST_INSTALLATIONS = `
  SELECT ${INSTALLATION_COLUMNS} FROM holdpoint.installations ORDER BY id COLLATE "C"`

export const UPDATE_INSTALLATION = `
  UPDATE holdpoint.installations SET
    team_id = coalesce($2, team_id),
    billing_plan_id = coalesce($3, billing_plan_id),
    state = coalesce($4, state)
  WHERE id = $1`

// One statement, so one transaction; resources and transfer requests go with their installation.
export const REMOVE_INSTALLATION = `
  WITH forgotten AS (DELETE FROM holdpoint.answers WHERE installation_id = $1)
  DELETE FROM holdpoint.installations WHERE id = $1`

export const GET_ACCESS_TOKEN = `
  SELECT access_token FROM holdpoint.installations WHERE id = $1`

export const REPLACE_ACCESS_TOKEN = `
  UPDATE holdpoint.installations SET access_token = $2 WHERE id = $1`

// The driver cannot tell the JSON value null from no value, but texts.
const RESOURCE_COLUMNS = `id, installation_id, product_id, name, metadata, billing_plan_id, status,
    protocol_settings, reference::text`

const INSERT_RESOURCE = `
  INSERT INTO holdpoint.resources AS known
    (id, installation_id, product_id, name, metadata, billing_plan_id, status, protocol_settings, reference)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

export const ADD_RESOURCE = `${INSERT_RESOURCE} ON CONFLICT (id) DO NOTHING`

export const PUT_RESOURCE = `${INSERT_RESOURCE}
  ON CONFLICT (id) DO UPDATE SET
    product_id = excluded.product_id,
    name = excluded.name,
    metadata = excluded.metadata,
    billing_plan_id = excluded.billing_plan_id,
    status = excluded.status,
    protocol_settings = excluded.protocol_settings,
    reference = excluded.reference
  WHERE known.installation_id = excluded.installation_id`

export const GET_RESOURCE = `
  SELECT ${RESOURCE_COLUMNS} FROM holdpoint.resources WHERE installation_id = $1 AND id = $2`

export const FIND_RESOURCE = `
  SELECT ${RESOURCE_COLUMNS} FROM holdpoint.resources WHERE id = $1`

export const LIST_RESOURCES = `
  SELECT ${RESOURCE_COLUMNS} FROM holdpoint.resources WHERE installation_id = $1
  ORDER BY id COLLATE "C"`

export const REMOVE_RESOURCE = `
  DELETE FROM holdpoint.resources WHERE installation_id = $1 AND id = $2`

// Takes the key, or tells who has it; a key whose time is over is taken anew.
export const RECALL_ANSWER = `
  INSERT INTO holdpoint.answers AS known (installation_id, key, fingerprint, expires_at)
  VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond')
  ON CONFLICT (installation_id, key) DO UPDATE SET
    fingerprint = CASE WHEN known.expires_at > now() THEN known.fingerprint ELSE excluded.fingerprint END,
    answer = CASE WHEN known.expires_at > now() THEN known.answer END,
    expires_at = CASE WHEN known.expires_at > now() THEN known.expires_at ELSE excluded.expires_at END
  RETURNING fingerprint, answer`

export const REMEMBER_ANSWER = `
  UPDATE holdpoint.answers SET answer = $4
  WHERE installation_id = $1 AND key = $2 AND fingerprint = $3 AND answer IS NULL`

export const PUT_TRANSFER_REQUEST = `
  INSERT INTO holdpoint.transfer_requests (claim_id, from_installation_id, resource_ids, expires_at_ms)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (claim_id) DO NOTHING`

export const GET_TRANSFER_REQUEST = `
  SELECT claim_id, from_installation_id, resource_ids, expires_at_ms
  FROM holdpoint.transfer_requests WHERE claim_id = $1 AND accepted_by IS NULL`

// Both, always in the same order and before anything else: no removal begins meanwhile, and nobody waits in a circle.
export const LOCK_PARTIES = `
  SELECT id, state FROM holdpoint.installations
  WHERE id = $2
    OR id = (SELECT from_installation_id FROM holdpoint.transfer_requests WHERE claim_id = $1)
  ORDER BY id FOR SHARE`

export const LOCK_CLAIM = `
  SELECT from_installation_id, resource_ids, expires_at_ms, accepted_by
  FROM holdpoint.transfer_requests WHERE claim_id = $1 FOR UPDATE`

export const ACCEPT_CLAIM = `
  UPDATE holdpoint.transfer_requests SET accepted_by = $2 WHERE claim_id = $1`

export const MOVE_RESOURCES = `
  UPDATE holdpoint.resources SET installation_id = $1
  WHERE installation_id = $2 AND id = ANY ($3)`

// For a day, a claim that expired can still be told from one that never was, and one that was accepted by whom.
export const SWEEP = `
  WITH answers AS (DELETE FROM holdpoint.answers WHERE expires_at <= now())
  DELETE FROM holdpoint.transfer_requests
  WHERE expires_at_ms < (extract(epoch FROM now() - interval '1 day') * 1000)`
