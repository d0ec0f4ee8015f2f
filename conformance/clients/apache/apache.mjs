// An Apache of our own: a folder below the system's temporary one, a free port on loopback, and nothing of the system's but
// its programs. As root it is started as nobody.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const NOBODY = 65534;
const PATIENCE = 10_000;

/** Starts Apache in the foreground, so that it ends with us, and waits until it answers. */
export async function startApache() {
  const folder = mkdtempSync(join(tmpdir(), 'enroll-apache-'));
  const metadata = join(folder, 'metadata');
  mkdirSync(metadata);
  for (const part of ['httpd.conf', 'pages']) {
    cpSync(new URL(part, import.meta.url), join(folder, part), { recursive: true });
  }
  const nobody = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (nobody.uid) [folder, metadata].forEach((own) => chownSync(own, NOBODY, NOBODY));

  const listen = await freeAddress();
  const origin = `http://${listen}`;
  const apache = spawn('apache2', ['-d', folder, '-f', join(folder, 'httpd.conf'), '-D', 'FOREGROUND'], {
    ...nobody,
    env: { PATH: process.env.PATH, FOLDER: folder, LISTEN: listen, ORIGIN: origin, PASSPHRASE: randomUUID() },
    stdio: 'inherit',
  });
  // Whichever way this process ends, a failed check included.
  process.on('exit', (code) => {
    if (code !== 0) console.error(readFileSync(join(folder, 'error.log'), 'utf8'));
    apache.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await answers(origin, apache);
  return { origin, metadata };
}

async function answers(origin, apache) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end && apache.exitCode === null) {
    if (await fetch(origin).then(() => true, () => false)) return;
    await setTimeout(50);
  }
  throw new Error('Apache does not answer');
}

async function freeAddress() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address();
  server.close();
  await once(server, 'close');
  return `${address}:${port}`;
}
