// mod_auth_openidc: an Apache that knows no provider discovers the server, registers with it, lets alice in and out.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from '../../browser/browser.mjs';
import { issuer, step } from '../node/strict-app.mjs';
import { startApache } from './apache.mjs';

const CLIENT = 'mod_auth_openidc';

const { origin, metadata } = await startApache();
const members = `${origin}/members/`;
const callback = `${origin}/members/callback`;
const bye = `${origin}/bye.html`;
const browser = await Browser.open(issuer);

/** Visits an address; says where that ended, and which questions of the server were answered on the way. */
async function visit(url) {
  const asked = [];
  const onPage = (_, name) => name !== 'end' && asked.push(name);
  return { ...(await browser.visit(url, { onPage })), asked };
}

/** The address that the module's page "Select your OpenID Connect Identity Provider" sends who types our issuer in. */
async function chosen() {
  let form;
  const onPage = async (page) => {
    form = await page.evaluate(() => [...new FormData(document.forms[0]).entries()]);
  };
  await browser.visit(members, { onPage });
  return `${callback}?${new URLSearchParams({ ...Object.fromEntries(form), iss: issuer })}`;
}

/** What the module wrote about the server into the one file of this kind. */
function written(kind) {
  const files = readdirSync(metadata).filter((name) => name.endsWith(`.${kind}`));
  assert.equal(files.length, 1, `there are ${files.length} files .${kind}`);
  return JSON.parse(readFileSync(join(metadata, files[0]), 'utf8'));
}

/** What the info hook tells about the session of the browser. */
async function session() {
  const { url, status, text } = await visit(`${callback}?info=json`);
  assert.equal(status, 200, `the info hook answers ${status} at ${url}`);
  return JSON.parse(text);
}

const userinfo = (token) => fetch(provider.userinfo_endpoint, { headers: { authorization: `Bearer ${token}` } });

async function letsAliceIn() {
  const { url, status, text, asked } = await visit(await chosen());
  assert.deepEqual([url, status], [members, 200]);
  assert.deepEqual(asked, ['log-in', 'consent']);
  for (const line of ['REMOTE_USER is alice.', 'name is Alice', 'email is alice@example.com', `iss is ${issuer}.`]) {
    assert.ok(text.includes(line), `the page says:\n${text}`);
  }
}

await step(CLIENT, 'discovers the server, registers, and lets alice in after log-in and consent', letsAliceIn);

const client = written('client');
const provider = written('provider');
await step(CLIENT, 'keeps what it was registered as', () => {
  assert.deepEqual(client.redirect_uris, [callback]);
  assert.deepEqual(client.post_logout_redirect_uris, [bye]);
  assert.deepEqual(client.response_types, ['code'], 'of the six that it asks for, the server has this one');
  assert.ok(client.client_secret);
});

const first = await session();
await step(CLIENT, 'asked for userinfo', () => {
  assert.equal(first.userinfo.email, 'alice@example.com');
  assert.ok(first.refresh_token);
});

await step(CLIENT, 'lets alice in again without a question', async () => {
  const { url, status, asked } = await visit(members);
  assert.deepEqual([url, status, asked], [members, 200, []]);
});

let last;
await step(CLIENT, 'refreshes its access token', async () => {
  const query = new URLSearchParams({ refresh: members, access_token: first.access_token });
  const { url } = await visit(`${callback}?${query}`);
  assert.equal(url, members, 'an error is added to the address');
  last = await session();
  assert.notEqual(last.access_token, first.access_token);
  assert.equal((await userinfo(last.access_token)).status, 200);
});

await step(CLIENT, 'gives its tokens back and logs alice out, here and at the server', async () => {
  const { url, status } = await visit(`${callback}?logout=${encodeURIComponent(bye)}`);
  assert.deepEqual([url, status], [bye, 200]);
  assert.equal((await userinfo(last.access_token)).status, 401);
  await letsAliceIn(); // Her password is asked for again.
});

await step(CLIENT, 'did not register twice', () => {
  assert.equal(written('client').client_id, client.client_id);
});

await browser.close();
process.exit();
