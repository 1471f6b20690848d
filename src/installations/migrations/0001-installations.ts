import type { MigrationBuilder } from 'node-pg-migrate'

/**
 * Columns of the type `json`, not `jsonb`, keep what they are given to the letter: customers' texts may hold what
 * `jsonb` refuses. `access_token` and `answer` are sealed; see `seal.ts`.
 */
export function up(database: MigrationBuilder): void {
  database.sql(`
    CREATE TABLE holdpoint.installations (
      id text PRIMARY KEY,
      team_id text,
      account json,
      scopes json NOT NULL,
      accepted_policies json NOT NULL,
      billing_plan_id text,
      state text NOT NULL CHECK (state IN ('active', 'removing')),
      access_token text
    );

    CREATE TABLE holdpoint.resources (
      id text PRIMARY KEY,
      installation_id text NOT NULL REFERENCES holdpoint.installations ON DELETE CASCADE,
      product_id text NOT NULL,
      name text NOT NULL,
      metadata json NOT NULL,
      billing_plan_id text,
      status text NOT NULL CHECK (status IN ('pending', 'ready', 'suspended', 'error')),
      protocol_settings json,
      reference json
    );
    CREATE INDEX ON holdpoint.resources (installation_id);

    CREATE TABLE holdpoint.transfer_requests (
      claim_id text PRIMARY KEY,
      from_installation_id text NOT NULL REFERENCES holdpoint.installations ON DELETE CASCADE,
      resource_ids text[] NOT NULL,
      expires_at_ms bigint NOT NULL
    );
    CREATE INDEX ON holdpoint.transfer_requests (from_installation_id);

    -- Without a reference: the request that makes an installation has a key too.
    CREATE TABLE holdpoint.answers (
      installation_id text NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      answer text,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (installation_id, key)
    );
    CREATE INDEX ON holdpoint.answers (expires_at);
  `)
}

// What would be undone are the customers' tokens.
export const down = false
