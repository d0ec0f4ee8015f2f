// The MCP TypeScript SDK: its discovery and its registration call; then its OAuth client provider against a protected MCP
// server, whose address is the second argument: everything between the first 401 and the answer of a tool is the SDK's.

import {
  discoverAuthorizationServerMetadata,
  registerClient,
  UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InvalidClientMetadataError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import assert from 'node:assert/strict';
import { Browser } from '../../browser/browser.mjs';
import { checkRefusal, issuer, refusal, registerAll, step } from './strict-app.mjs';

const CLIENT = 'mcp-typescript-sdk';

let metadata;
await step(CLIENT, 'discovers where to register', async () => {
  metadata = await discoverAuthorizationServerMetadata(issuer);
  assert.equal(metadata.issuer, issuer);
  assert.equal(metadata.registration_endpoint, `${issuer}/connect/dcr`);
});

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

/** What an application keeps for the SDK, in memory; somebody logs in in a browser. */
class InMemory {
  redirectUrl = 'http://127.0.0.1:4711/callback';
  clientMetadata = {
    client_name: 'Terminal Companion',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
  kept = {};
  /** Where somebody came back to, each time that they were sent to the server. */
  visits = [];

  constructor(browser) {
    this.browser = browser;
  }

  state = () => (this.kept.state = crypto.randomUUID());
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => (this.kept.verifier = verifier);

  async redirectToAuthorization(url) {
    this.visits.push(new URL((await this.browser.visit(url.href)).url));
  }
}

const mcpServer = new URL(process.argv[3]);
const browser = await Browser.open(issuer);
const app = new InMemory(browser);
const transport = () => new StreamableHTTPClientTransport(mcpServer, { authProvider: app });
const newClient = () => new Client({ name: 'conformance', version: '1' });

await step(CLIENT, 'is turned away, finds the issuer, registers and sends somebody there', async () => {
  const first = transport();
  await assert.rejects(newClient().connect(first), UnauthorizedError);
  const [answer] = app.visits;
  assert.ok(app.kept.client.client_id);
  assert.equal(answer?.searchParams.get('state'), app.kept.state, `${answer}`);
  assert.equal(answer.searchParams.get('iss'), issuer);
  await first.finishAuth(answer.searchParams.get('code'));
  assert.ok(app.kept.tokens.refresh_token, 'a refresh token must come along');
});

const mcp = newClient();
await step(CLIENT, 'calls a tool', async () => {
  await mcp.connect(transport());
  await checkSum();
});

await step(CLIENT, 'refreshes by itself when its access token is refused, and calls again', async () => {
  const before = app.kept.tokens;
  app.kept.tokens = { ...before, access_token: 'dropped' };
  await checkSum();
  assert.notEqual(app.kept.tokens.access_token, before.access_token);
  assert.notEqual(app.kept.tokens.refresh_token, before.refresh_token, 'a public client gets another refresh token');
  assert.equal(app.visits.length, 1, 'nobody had to log in again');
});

await mcp.close();
await browser.close();

async function checkSum() {
  const { content } = await mcp.callTool({ name: 'add', arguments: { a: 2, b: 3 } });
  assert.deepEqual(content, [{ type: 'text', text: '5' }]);
}
