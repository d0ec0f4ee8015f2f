// openid-client: one call discovers and registers; the read goes through the registered configuration. Then the rest of a
// client's life: tokens of somebody who logs in, and its own.

import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import assert from 'node:assert/strict';
import { Browser } from '../../browser/browser.mjs';
import { Callback } from './callback.mjs';
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

// The rest of a client's life. Somebody logs in and consents in a browser, which tells where it ends, so that nobody need
// listen at the redirect URI.

const REDIRECT = 'https://ledger.example/cb';
const SIGNED_OUT = 'https://ledger.example/bye';
const checked = { execute: [...insecure, client.enableNonRepudiationChecks] };

/** A client that has all it needs, with these members besides. */
function registered(members, authentication) {
  const metadata = {
    client_name: 'Ledger',
    redirect_uris: [REDIRECT],
    post_logout_redirect_uris: [SIGNED_OUT],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile email offline_access api1',
    ...members,
  };
  return client.dynamicClientRegistration(new URL(issuer), metadata, authentication, checked);
}

/** Sends somebody to the server, and takes the code that comes back to it. */
async function logIn(ledger, browser, parameters = {}, { listen = ({ url }) => new URL(url), ...answers } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  const url = client.buildAuthorizationUrl(ledger, {
    redirect_uri: REDIRECT,
    scope: 'openid profile offline_access api1',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  });
  return client.authorizationCodeGrant(ledger, await listen(await browser.visit(url.href, answers)), checks);
}

const refused = (error, code) => (error.error ?? error.cause?.error) === code;

const browser = await Browser.open(issuer);
const ledger = await registered({});
let tokens;

await step(CLIENT, 'is told that somebody does not consent', async () => {
  await assert.rejects(logIn(ledger, browser, {}, { deny: true }), (error) => refused(error, 'access_denied'));
});

await step(CLIENT, 'gets tokens for somebody who logs in and consents, and believes the ID token', async () => {
  tokens = await logIn(ledger, browser);
  assert.equal(tokens.scope.split(' ').sort().join(' '), 'api1 offline_access openid profile');
});

await step(CLIENT, 'reads who it is', async () => {
  const user = await client.fetchUserInfo(ledger, tokens.access_token, tokens.claims().sub);
  assert.equal(user.name, 'Alice Ammann');
});

await step(CLIENT, 'asks about its token', async () => {
  const told = await client.tokenIntrospection(ledger, tokens.access_token);
  assert.equal(told.active, true);
  assert.equal(told.client_id, ledger.clientMetadata().client_id);
});

await step(CLIENT, 'refreshes', async () => {
  const refreshed = await client.refreshTokenGrant(ledger, tokens.refresh_token);
  assert.notEqual(refreshed.access_token, tokens.access_token);
  assert.equal(refreshed.claims().sub, tokens.claims().sub);
});

await step(CLIENT, 'gives its tokens back', async () => {
  await client.tokenRevocation(ledger, tokens.refresh_token);
  await assert.rejects(client.refreshTokenGrant(ledger, tokens.refresh_token), (error) => refused(error, 'invalid_grant'));
  const { active } = await client.tokenIntrospection(ledger, tokens.access_token);
  assert.equal(active, false, 'the access token goes with the refresh token that it came with');
});

await step(CLIENT, 'loses all when a refresh token that took its turn comes again', async () => {
  const native = await registered({
    redirect_uris: ['http://127.0.0.1/cb'],
    token_endpoint_auth_method: 'none',
  }, client.None());
  const first = await logIn(native, browser, { redirect_uri: 'http://127.0.0.1:4711/cb' });
  const second = await client.refreshTokenGrant(native, first.refresh_token);
  const third = await client.refreshTokenGrant(native, second.refresh_token);
  for (const { refresh_token } of [first, third]) {
    await assert.rejects(client.refreshTokenGrant(native, refresh_token), (error) => refused(error, 'invalid_grant'));
  }
});

await step(CLIENT, 'takes the answer from a form post', async () => {
  const callback = await Callback.listen();
  const app = await registered({ redirect_uris: [callback.url] });
  const parameters = { redirect_uri: callback.url, response_mode: 'form_post' };
  const { access_token } = await logIn(app, browser, parameters, { listen: () => callback.request });
  assert.ok(access_token);
});

await step(CLIENT, 'believes signed user information', async () => {
  const app = await registered({ userinfo_signed_response_alg: 'ES256', id_token_signed_response_alg: 'ES256' });
  const { access_token, claims } = await logIn(app, browser);
  assert.equal((await client.fetchUserInfo(app, access_token, claims().sub)).name, 'Alice Ammann');
});

await step(CLIENT, 'logs somebody out, who is then no longer known', async () => {
  const { id_token } = await logIn(ledger, browser);
  const url = client.buildEndSessionUrl(ledger, {
    id_token_hint: id_token,
    post_logout_redirect_uri: SIGNED_OUT,
    state: 'done',
  });
  assert.equal((await browser.visit(url.href)).url, `${SIGNED_OUT}?state=done`);
  await assert.rejects(logIn(ledger, browser, { prompt: 'none' }), (error) => refused(error, 'login_required'));
});

await browser.close();

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'own', alg: 'ES256' }] };
const METHODS = {
  client_secret_basic: [client.ClientSecretBasic()],
  client_secret_post: [client.ClientSecretPost()],
  client_secret_jwt: [client.ClientSecretJwt()],
  private_key_jwt: [client.PrivateKeyJwt({ key: privateKey, kid: 'own' }), { jwks }],
};
for (const [method, [authentication, members]] of Object.entries(METHODS)) {
  await step(CLIENT, `gets a token for itself by ${method}`, async () => {
    const service = await registered({
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: undefined,
      post_logout_redirect_uris: undefined,
      token_endpoint_auth_method: method,
      scope: 'api1 api2',
      ...members,
    }, authentication);
    const { access_token, scope } = await client.clientCredentialsGrant(service, { scope: 'api2' });
    assert.ok(access_token);
    assert.equal(scope, 'api2');
  });
}
