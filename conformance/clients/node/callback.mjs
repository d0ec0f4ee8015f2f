// An application's redirect URI where somebody listens: for answers that come in the body of a POST.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export class Callback {
  #server = createServer();
  /** The one request that comes, as the Fetch API has it. */
  request = new Promise((resolve) => {
    this.#server.once('request', async (request, response) => {
      const { method, headers } = request;
      const body = await text(request);
      response.setHeader('connection', 'close').end('done');
      this.#server.close();
      resolve(new Request(this.url, { method, headers: { 'content-type': headers['content-type'] }, body }));
    });
  });

  static async listen() {
    const callback = new Callback();
    await once(callback.#server.listen(0, '127.0.0.1'), 'listening');
    callback.url = `http://127.0.0.1:${callback.#server.address().port}/callback`;
    return callback;
  }
}
