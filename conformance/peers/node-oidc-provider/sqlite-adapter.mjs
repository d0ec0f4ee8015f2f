// A durable adapter for oidc-provider as most deployments write one: a table of records, each write its own commit.
// One thing is in the library's favour: a registration writes two records, the client and its registration access
// token, and here the client waits for the token, so that both are one commit before the answer.

import Database from 'better-sqlite3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    expires_at INTEGER,
    uid TEXT,
    user_code TEXT,
    grant_id TEXT,
    PRIMARY KEY (model, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS records_uid ON records (uid) WHERE uid IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_user_code ON records (user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_grant_id ON records (grant_id) WHERE grant_id IS NOT NULL;`;

/** The adapter factory that oidc-provider's configuration takes, on the database in this file. */
export function sqliteAdapter(file) {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(SCHEMA);

  const fresh = '(expires_at IS NULL OR expires_at > unixepoch())';
  const upsert = database.prepare('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?)');
  const findById = database.prepare(`SELECT payload FROM records WHERE model = ? AND id = ? AND ${fresh}`);
  const findByUid = database.prepare(`SELECT payload FROM records WHERE model = ? AND uid = ? AND ${fresh}`);
  const findByUserCode = database.prepare(`SELECT payload FROM records WHERE model = ? AND user_code = ? AND ${fresh}`);
  const consume = database.prepare(
    "UPDATE records SET payload = json_set(payload, '$.consumed', unixepoch()) WHERE model = ? AND id = ?",
  );
  const destroy = database.prepare('DELETE FROM records WHERE model = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM records WHERE grant_id = ?');
  const write = (model, id, payload, expiresIn) => {
    const { uid, userCode, grantId } = payload;
    const expiresAt = expiresIn === undefined ? null : Math.floor(Date.now() / 1000) + expiresIn;
    upsert.run(model, id, JSON.stringify(payload), expiresAt, uid ?? null, userCode ?? null, grantId ?? null);
  };
  const writeRegistration = database.transaction((client, id, payload, expiresIn) => {
    if (client) write('Client', payload.clientId, client);
    write('RegistrationAccessToken', id, payload, expiresIn);
  });
  const unregistered = new Map();
  const parsed = (row) => (row ? JSON.parse(row.payload) : undefined);

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      if (model === 'Client' && !findById.get(model, id)) {
        unregistered.set(id, payload);
      } else if (model === 'RegistrationAccessToken') {
        writeRegistration(unregistered.get(payload.clientId), id, payload, expiresIn);
        unregistered.delete(payload.clientId);
      } else {
        write(model, id, payload, expiresIn);
      }
    },
    find: async (id) => parsed(findById.get(model, id)),
    findByUid: async (uid) => parsed(findByUid.get(model, uid)),
    findByUserCode: async (userCode) => parsed(findByUserCode.get(model, userCode)),
    consume: async (id) => void consume.run(model, id),
    destroy: async (id) => void destroy.run(model, id),
    revokeByGrantId: async (grantId) => void revoke.run(grantId),
  });
}
