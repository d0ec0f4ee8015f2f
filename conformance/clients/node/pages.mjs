// What people see, looked at by axe-core: every page, in every language, light and dark, on a phone and on a desk. Pictures
// of all of them go into the folder that is the second argument.

import axe from 'axe-core';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Browser } from '../../browser/browser.mjs';
import { issuer, step } from './strict-app.mjs';

const CLIENT = 'pages';
const LANGUAGES = ['en', 'de', 'ja'];
const SCHEMES = ['light', 'dark'];
const WIDTHS = [360, 1440];
const REDIRECT = 'http://127.0.0.1:4711/callback';

const screenshots = process.argv[3];
await mkdir(screenshots, { recursive: true });

const response = await fetch(`${issuer}/connect/dcr`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    client_name: 'Ledger',
    client_uri: 'https://ledger.example',
    policy_uri: 'https://ledger.example/privacy',
    tos_uri: 'https://ledger.example/terms',
    redirect_uris: ['http://127.0.0.1/callback', 'https://ledger.example/callback'],
    post_logout_redirect_uris: ['https://ledger.example/bye'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    scope: 'openid profile email offline_access mcp:tools',
  }),
});
const { client_id, scope } = await response.json();

function authorizationUrl(redirect_uri) {
  const query = new URLSearchParams({
    client_id,
    redirect_uri,
    scope,
    resource: 'http://127.0.0.1:3000/mcp',
    response_type: 'code',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  return `${issuer}/connect/authorize?${query}`;
}

const end = new URLSearchParams({ client_id, post_logout_redirect_uri: 'https://ledger.example/bye' });
const endSessionUrl = `${issuer}/connect/endsession?${end}`;

/** Where to go, which pages on the way are looked at, by what they are called here, and how the questions are answered. In
 * this order, in one profile. */
const VISITS = [
  [authorizationUrl('https://elsewhere.example/'), { end: 'error' }],
  [authorizationUrl(REDIRECT), { 'log-in': 'log-in', end: 'wrong-password' }, { user: 'nobody' }],
  [authorizationUrl(REDIRECT), { consent: 'consent' }, { deny: true }],
  [endSessionUrl, { 'log-out': 'log-out', end: 'still-signed-in' }, { deny: true }],
  [endSessionUrl, { end: 'signed-out' }],
];

for (const language of LANGUAGES) {
  const browser = await Browser.open(issuer, { locale: language });
  for (const [url, pages, answers] of VISITS) {
    const names = Object.values(pages);
    await step(CLIENT, `has nothing to object to ${names.join(' and ')} (${language})`, async () => {
      const seen = [];
      await browser.visit(url, {
        ...answers,
        async onPage(page, where) {
          if (!pages[where]) return;
          seen.push(pages[where]);
          assert.equal(await page.getAttribute('html', 'lang'), language);
          await lookAt(page, `${pages[where]}.${language}`);
        },
      });
      assert.deepEqual(seen, names, `${url} led elsewhere`);
    });
  }
  await browser.close();
}
console.log(`the pictures are in ${screenshots}`);

async function lookAt(page, name) {
  await page.evaluate(axe.source);
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const look = `${name}.${colorScheme}.${width}`;
      await page.screenshot({ path: join(screenshots, `${look}.png`), fullPage: true });
      // WCAG 2.2 §1.4.10
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${look}: ${overflow} pixels wider than the window`);
      const { violations } = await page.evaluate(() => axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`);
      assert.deepEqual(found, [], look);
    }
  }
}
