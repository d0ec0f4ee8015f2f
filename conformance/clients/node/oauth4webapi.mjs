// oauth4webapi: discovery, registration, the read and the code flow with its own calls.

import * as oauth from 'oauth4webapi';
import assert from 'node:assert/strict';
import { Browser } from '../../browser/browser.mjs';
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

await step(CLIENT, 'gets tokens by the code flow with PKCE, each part of it by itself', async () => {
  const redirectUri = 'https://calendar.example/cb';
  const { seen: client } = await register({ redirect_uris: [redirectUri], scope: 'openid', client_name: 'Calendar' });
  const authentication = oauth.ClientSecretBasic(client.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const nonce = oauth.generateRandomNonce();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });

  const browser = await Browser.open(issuer);
  const back = new URL((await browser.visit(url.href)).url);
  await browser.close();

  const answer = oauth.validateAuthResponse(server, client, back, state);
  const exchange = (parameters) =>
    oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, verifier, insecure);
  const checks = { expectedNonce: nonce, requireIdToken: true };
  const response = await exchange(answer);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, checks);
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).nonce, nonce);

  const again = oauth.processAuthorizationCodeResponse(server, client, await exchange(answer), checks);
  await assert.rejects(again, { error: 'invalid_grant' }, 'a code pays once');
});
