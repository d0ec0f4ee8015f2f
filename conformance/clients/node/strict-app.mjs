// What an application that trusts nobody checks in the answer to its registration, whichever library sent it.
// RFC 7591 §3.2.1, RFC 7592 §3.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const { registrations, refusal } = JSON.parse(readFileSync(new URL('../requests.json', import.meta.url), 'utf8'));
export { refusal };

/** The issuer that the runner hands over. */
export const issuer = process.argv[2];
if (!issuer) fail('give the issuer as the first argument');

/** Registers every request of requests.json with `register`, which answers `{ response, body, seen }`: the HTTP
 * response, its body, and the client as the library presents it. `read` is how this library fetches with a token,
 * `only` says which requests it is able to send. */
export async function registerAll(client, register, { read = readWithFetch, only = () => true } = {}) {
  let lastRegistered;
  for (const registration of registrations.filter(only)) {
    const { response, body, seen } = await attempt(`${client}: ${registration.name}`, () => register(registration.request));
    await step(client, `registers ${registration.name}`, () => {
      checkHeaders(response, body);
      checkBody(registration, body);
      assert.equal(seen.client_id, body.client_id, 'the library reports another client_id than the server sent');
      assert.deepEqual(seen.redirect_uris, body.redirect_uris, 'the library reports other redirect_uris');
    });
    await step(client, `reads back ${registration.name}`, async () => {
      await checkReadBack(body, await read(body.registration_client_uri, body.registration_access_token));
    });
    lastRegistered = body;
  }
  await step(client, 'is not read with another token or none', () => checkReadIsClosed(lastRegistered));
}

/** Checks that a library reports `refusal` as the server sent it: the status, the code, and which member is amiss. */
export function checkRefusal({ status, error, error_description }) {
  assert.deepEqual([status, error], [400, refusal.error]);
  assert.match(error_description ?? '', /jwks/, 'error_description must name the member');
}

/** Runs one check and prints its line; the first failure ends the process. */
export async function step(client, sentence, check) {
  await attempt(`${client} ${sentence}`, check);
  console.log(`ok ${client}: ${sentence}`);
}

async function attempt(what, action) {
  try {
    return await action();
  } catch (error) {
    return fail(`${what}\n${error.message}`, error.cause);
  }
}

function fail(message, cause) {
  console.error(`FAILED ${message}`);
  if (cause) console.error(cause);
  process.exit(1);
}

function checkHeaders(response, body) {
  assert.equal(response.status, 201);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json\b/);
  assert.match(response.headers.get('cache-control') ?? '', /\bno-store\b/);
  assert.equal(response.headers.get('pragma'), 'no-cache');
  assert.equal(response.headers.get('location'), body.registration_client_uri, 'Location must name the new client');
}

function checkBody({ request, effective = {}, given = [], secret }, body) {
  refusePlaceholders(body);
  assert.equal(typeof body.client_id, 'string', 'client_id must be a string');
  assert.ok(!clientIds.has(body.client_id), 'client_id must be new');
  clientIds.add(body.client_id);
  assert.ok(isSeconds(body.client_id_issued_at), 'client_id_issued_at must be a number of seconds');
  assert.ok(body.registration_client_uri?.startsWith(`${issuer}/`), 'registration_client_uri must be at the issuer');
  assert.equal(typeof body.registration_access_token, 'string', 'registration_access_token must come along');
  assert.equal('client_secret' in body, secret, `client_secret must ${secret ? '' : 'not '}be issued`);
  assert.equal('client_secret_expires_at' in body, secret, 'client_secret_expires_at must come with a secret only');
  if (secret) assert.ok(isExpiry(body), 'client_secret_expires_at must be 0 or a time to come, in seconds');
  for (const member of given) assert.ok(body[member], `the server must choose ${member}`);
  const expected = { ...request, ...effective };
  for (const member of Object.keys(expected)) {
    if (given.includes(member)) continue;
    assert.deepEqual(comparable(member, body[member]), comparable(member, expected[member]), `${member} is not what it must be`);
  }
}

const clientIds = new Set();

// Milliseconds, the usual mistake, are beyond this until the year 5138.
function isSeconds(value) {
  return Number.isInteger(value) && value < 1e11;
}

function isExpiry({ client_id_issued_at: issued, client_secret_expires_at: expires }) {
  return isSeconds(expires) && (expires === 0 || expires > issued);
}

// `null`, "" and [] ask for nothing. The order of scopes means nothing, that of redirect URIs much.
function comparable(member, value) {
  if (value === null || value === '' || value?.length === 0) return undefined;
  return member === 'scope' ? value?.split(' ').sort() : value;
}

// An unset member is absent. An empty `response_types` says something, as its default is `code`. RFC 7591 §2.
function refusePlaceholders(value, path = 'body') {
  assert.notEqual(value, null, `${path} is null`);
  assert.notEqual(value, '', `${path} is empty`);
  if (typeof value !== 'object') return;
  assert.ok(Object.keys(value).length > 0 || path === 'body.response_types', `${path} is empty`);
  for (const [key, inner] of Object.entries(value)) refusePlaceholders(inner, `${path}.${key}`);
}

async function checkReadBack(registered, response) {
  assert.equal(response.status, 200, `GET ${registered.registration_client_uri}`);
  assert.match(response.headers.get('cache-control') ?? '', /\bno-store\b/);
  const body = await response.json();
  refusePlaceholders(body);
  assert.deepEqual(lasting(body), lasting(registered), 'what is read differs from what was registered');
}

// RFC 7592 §2.1 has a wrong token refused; RFC 6750 §3 says how.
async function checkReadIsClosed({ registration_client_uri: url }) {
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    const response = await fetch(url, { headers });
    assert.equal(response.status, 401, `GET ${url}`);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer\b/i);
  }
}

// A secret is shown once, and a read may rotate the registration access token.
function lasting({ client_secret, client_secret_expires_at, registration_access_token, ...rest }) {
  return rest;
}

function readWithFetch(url, token) {
  return fetch(url, { headers: { accept: 'application/json', authorization: `Bearer ${token}` }, redirect: 'error' });
}
