// One visit in a fresh profile, for clients of any language:
//
//     node sign-in.mjs --issuer ISSUER [--user alice] [--password alice] [--deny] [--screenshots DIR] URL
//
// prints where the browser ended, in one line of JSON: `url`, `status` (null when nobody listens there), and `text`.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Browser } from './browser.mjs';

const { values: { issuer, screenshots, ...answers }, positionals: [url] } = parseArgs({
  allowPositionals: true,
  options: {
    issuer: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    deny: { type: 'boolean' },
    screenshots: { type: 'string' },
  },
});
if (!issuer || !url) {
  console.error('usage: sign-in.mjs --issuer ISSUER [--user U] [--password P] [--deny] [--screenshots DIR] URL');
  process.exit(2);
}

let count = 0;
async function onPage(page, name) {
  if (!screenshots) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${(count += 1)}-${name}.png`), fullPage: true });
}

const browser = await Browser.open(issuer);
try {
  console.log(JSON.stringify(await browser.visit(url, { ...answers, onPage })));
} finally {
  await browser.close();
}
