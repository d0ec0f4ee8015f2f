// node-oidc-provider with open registration at /reg, for benchmarks: `node server.mjs --port 4001 [--sqlite FILE]`.
// Clients get ES256 access tokens for resources by client credentials.
// Without a file it uses its own memory adapter, which keeps the records used last and forgets the others.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sqliteAdapter } from './sqlite-adapter.mjs';

const { values } = parseArgs({ options: { port: { type: 'string' }, sqlite: { type: 'string' } } });
if (!values.port) {
  console.error('usage: node server.mjs --port PORT [--sqlite FILE]');
  process.exit(2);
}

// Set before the library is loaded, which may look at it as it loads.
process.env.NODE_ENV = 'production';
const { Provider } = await import('oidc-provider');

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const issuer = `http://127.0.0.1:${values.port}`;
const provider = new Provider(issuer, {
  ...(values.sqlite && { adapter: sqliteAdapter(values.sqlite) }),
  jwks: {
    keys: [
      { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' },
      { ...elliptic.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' },
    ],
  },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  extraClientMetadata: { properties: ['software_id', 'software_version'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'api1', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
    registration: { enabled: true, initialAccessToken: false },
  },
});

provider.on('server_error', (_, error) => console.error(error));
const server = provider.listen(Number(values.port), '127.0.0.1', () => console.log(`ready ${issuer}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close(() => process.exit(0)));
