// A headless Chromium with somebody in front of it: it visits an address, answers the pages of the issuer that wait for
// an answer, and tells where it ended.
//
//     const browser = await Browser.open(issuer);
//     const { url } = await browser.visit(authorizationUrl);        // logs in, consents
//     const { url: back } = await browser.visit(anotherUrl);        // is logged in already
//     await browser.close();

import { chromium } from 'playwright-core';

/** The pages that wait for an answer, by what they ask with. */
const QUESTIONS = [
  {
    name: 'log-in',
    sign: 'input[name=password]',
    async answer(page, { user, password }) {
      await page.fill('input[name=username]', user);
      await page.fill('input[name=password]', password);
      await page.click('button[type=submit]');
    },
  },
  {
    name: 'consent',
    sign: 'button[name=decision][value=allow]',
    answer: (page, { deny }) => page.click(`button[name=decision][value=${deny ? 'deny' : 'allow'}]`),
  },
  {
    name: 'log-out',
    sign: 'button[name=decision][value=sign_out]',
    answer: (page, { deny }) => page.click(`button[name=decision][value=${deny ? 'stay' : 'sign_out'}]`),
  },
];

export class Browser {
  #issuer;
  #chromium;
  #context;

  constructor(issuer, chromium, context) {
    this.#issuer = issuer.replace(/\/$/, '');
    this.#chromium = chromium;
    this.#context = context;
  }

  /** Starts a browser with an empty profile; cookies last until it is closed. `look` is what Playwright calls the options
   * of a context: `colorScheme`, `viewport`, `locale` and others. */
  static async open(issuer, look = {}) {
    const started = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Whatever is not on this machine has no address, so that nothing leaves it.
      args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1], EXCLUDE localhost'],
      // Root cannot have one, and all pages are our own.
      chromiumSandbox: false,
    });
    return new Browser(issuer, started, await started.newContext(look));
  }

  /** Goes to `url` and answers each question once, until the browser is outside the issuer's pages, or on one of them that
   * asks nothing, or the same again. `onPage(page, name)` sees each page before it is answered, and the last one as `end`.
   *
   * Gives the last address, whole; its HTTP status, or `null` when nobody listens there; and the text that is seen. */
  async visit(url, { user = 'alice', password = 'alice', deny = false, onPage = async () => {} } = {}) {
    const page = await this.#context.newPage();
    try {
      const place = new Place(page);
      // Where nobody listens, this fails; the place knows.
      await page.goto(url).catch(() => {});
      await place.reached();
      const answered = new Set();
      for (;;) {
        const question = await this.#question(page, place);
        if (question === undefined || answered.has(question)) break;
        if (question) {
          answered.add(question);
          await onPage(page, question.name);
          const before = place.arrivals;
          await question.answer(page, { user, password, deny });
          await place.reached(before);
        } else {
          await place.left();
        }
      }
      await onPage(page, 'end');
      const text = place.status === null ? '' : await page.innerText('body');
      return { url: place.url, status: place.status, text: text.trim() };
    } finally {
      await page.close();
    }
  }

  close() {
    return this.#chromium.close();
  }

  /** What the page asks; `null` when it goes on by itself, to a client, as that of `response_mode=form_post` does. */
  async #question(page, place) {
    if (place.status === null || !place.url.startsWith(`${this.#issuer}/`)) return undefined;
    const seen = await page.evaluate(
      (signs) => ({
        question: signs.findIndex((sign) => document.querySelector(sign)),
        forms: [...document.forms].map((form) => form.action),
      }),
      QUESTIONS.map(({ sign }) => sign),
    ).catch(() => null);
    if (!seen || seen.forms.some((action) => !action.startsWith(`${this.#issuer}/`))) return null;
    return QUESTIONS[seen.question];
  }
}

/** Where a tab is, told by its requests: an address where nobody listens never becomes that of the page. */
class Place {
  url = null;
  status = null;
  /** How often the tab came to rest. */
  arrivals = 0;
  #moving = true;
  #changed = () => {};

  constructor(page) {
    const ours = (request) => request.isNavigationRequest() && request.frame() === page.mainFrame();
    page.on('request', (request) => ours(request) && this.#now({ url: request.url(), status: null, moving: true }));
    page.on('response', (response) => ours(response.request()) && this.#answeredBy(response));
    page.on('requestfailed', (request) => ours(request) && this.#now({ status: null, moving: false }));
    page.on('load', () => this.#now({ moving: false }));
  }

  /** Waits until the tab rests, after the given number of arrivals. */
  reached(after = 0) {
    return this.#until(() => !this.#moving && this.arrivals > after);
  }

  /** Waits until the tab rests elsewhere. */
  left() {
    const { url } = this;
    return this.#until(() => !this.#moving && this.url !== url);
  }

  #answeredBy(response) {
    const location = response.headers().location;
    const elsewhere = location && URL.canParse(location) && !/^https?:/.test(location);
    // A scheme of an app: no browser makes a request of it.
    if (elsewhere) this.#now({ url: location, status: null, moving: false });
    else this.#now({ status: response.status() });
  }

  #now({ url = this.url, status = this.status, moving = this.#moving }) {
    if (this.#moving && !moving) this.arrivals += 1;
    Object.assign(this, { url, status });
    this.#moving = moving;
    this.#changed();
  }

  async #until(holds) {
    const patience = AbortSignal.timeout(30_000);
    while (!holds()) {
      await new Promise((resolve, reject) => {
        this.#changed = resolve;
        patience.onabort = () => reject(new Error(`the browser is stuck at ${this.url}`));
      });
    }
  }
}
