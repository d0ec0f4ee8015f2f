// oauth4webapi: discovery, registration and the read with its own calls.

import * as oauth from 'oauth4webapi';
import assert from 'node:assert/strict';
import { checkRefusal, issuer, refusal, registerAll, step } from './strict-app.mjs';

const CLIENT = 'oauth4webapi';
// The runner serves plain HTTP on loopback.
const insecure = { [oauth.allowInsecureRequests]: true };

async function discover(algorithm) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm, ...insecure });
  return oauth.processDiscoveryResponse(new URL(issuer), response);
}

const server = await discover('oauth2');
await step(CLIENT, 'finds the same registration endpoint in both discovery documents', async () => {
  assert.equal(server.issuer, issuer);
  assert.equal(server.registration_endpoint, `${issuer}/connect/dcr`);
  assert.equal((await discover('oidc')).registration_endpoint, server.registration_endpoint);
});

async function register(metadata) {
  const response = await oauth.dynamicClientRegistrationRequest(server, metadata, insecure);
  const raw = response.clone();
  const seen = await oauth.processDynamicClientRegistrationResponse(response);
  return { response: raw, body: await raw.json(), seen };
}

function read(url, token) {
  return oauth.protectedResourceRequest(token, 'GET', new URL(url), undefined, undefined, insecure);
}

await registerAll(CLIENT, register, { read });

await step(CLIENT, `reports the refusal of ${refusal.name}`, async () => {
  await assert.rejects(register(refusal.request), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError, `${error}`);
    checkRefusal(error);
    return true;
  });
});
