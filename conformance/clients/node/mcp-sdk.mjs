// The MCP TypeScript SDK: its discovery and its registration call. Its discovery throws on metadata without an
// authorization endpoint. As long as the server has none, only the registration call is tried, and goes where the SDK
// sends it when it has no metadata: to `/register` on the issuer.

import { discoverAuthorizationServerMetadata, registerClient } from '@modelcontextprotocol/sdk/client/auth.js';
import { InvalidClientMetadataError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import assert from 'node:assert/strict';
import { checkRefusal, issuer, refusal, registerAll, step } from './strict-app.mjs';

const CLIENT = 'mcp-typescript-sdk';

let metadata;
const published = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
if (published.authorization_endpoint) {
  await step(CLIENT, 'discovers where to register', async () => {
    metadata = await discoverAuthorizationServerMetadata(issuer);
    assert.equal(metadata.issuer, issuer);
    assert.equal(metadata.registration_endpoint, `${issuer}/connect/dcr`);
  });
}

let raw;

async function register({ scope, ...clientMetadata }) {
  const seen = await registerClient(issuer, {
    metadata,
    clientMetadata,
    scope,
    // Looks at the bytes that the library is about to read.
    async fetchFn(url, options) {
      const response = await fetch(url, options);
      raw = response.clone();
      return response;
    },
  });
  return { response: raw, body: await raw.json(), seen };
}

// Its response schema demands `redirect_uris`, so it cannot register a client that has none.
await registerAll(CLIENT, register, { only: ({ request }) => 'redirect_uris' in request });

await step(CLIENT, `reports the refusal of ${refusal.name}`, async () => {
  await assert.rejects(register(refusal.request), (error) => {
    assert.ok(error instanceof InvalidClientMetadataError, `${error}`);
    checkRefusal({ status: raw.status, error: error.errorCode, error_description: error.message });
    return true;
  });
});
