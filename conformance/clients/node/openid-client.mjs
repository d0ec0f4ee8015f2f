// openid-client: one call discovers and registers; the read goes through the registered configuration.

import * as client from 'openid-client';
import assert from 'node:assert/strict';
import { checkRefusal, issuer, refusal, registerAll, step } from './strict-app.mjs';

const CLIENT = 'openid-client';
// The runner serves plain HTTP on loopback.
const insecure = [client.allowInsecureRequests];

let configuration;

async function register(metadata) {
  let raw;
  configuration = await client.dynamicClientRegistration(new URL(issuer), metadata, client.None(), {
    execute: insecure,
    // Looks at the bytes that the library is about to read.
    async [client.customFetch](url, options) {
      const response = await fetch(url, options);
      if (options.method === 'POST') raw = response.clone();
      return response;
    },
  });
  return { response: raw, body: await raw.json(), seen: configuration.clientMetadata() };
}

function read(url, token) {
  return client.fetchProtectedResource(configuration, token, new URL(url), 'GET');
}

await registerAll(CLIENT, register, { read });

await step(CLIENT, 'keeps the server metadata it discovered', () => {
  assert.equal(configuration.serverMetadata().issuer, issuer);
});

await step(CLIENT, `reports the refusal of ${refusal.name}`, async () => {
  await assert.rejects(register(refusal.request), (error) => {
    assert.ok(error instanceof client.ResponseBodyError, `${error}`);
    checkRefusal(error);
    return true;
  });
});
