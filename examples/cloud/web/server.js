// Talks to the server: requests, and the stream of live events.

let csrf = '';
export const setCsrf = (token) => { csrf = token; };

export class Refused extends Error {
  constructor(status, body) {
    super(body.message ?? `HTTP ${status}`);
    this.status = status;
    this.field = body.field;
  }
}

/** @param {string} path @param {RequestInit} [options] */
async function request(path, options = {}) {
  const answer = await fetch(`/api/v1${path}`, { credentials: 'same-origin', ...options });
  const body = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

export const get = (path) => request(path);

/** A new key for each wish; the same key for each repeat of it. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');

/** @param {string} path @param {unknown} body @param {string} [key] */
export function post(path, body, key) {
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf };
  if (key) headers['idempotency-key'] = key;
  return request(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
}

/**
 * Listens to live events. The browser reconnects by itself; `onLink` tells whether the line is up.
 * @param {{device: Function, alarm: Function, clock: Function, link: Function}} on
 */
export function listen(on) {
  let source;
  let retry;
  let closed = false;
  const open = () => {
    source = new EventSource('/api/v1/live');
    source.addEventListener('device', (event) => on.device(JSON.parse(event.data)));
    source.addEventListener('alarm', (event) => on.alarm(JSON.parse(event.data)));
    source.addEventListener('clock', (event) => on.clock(JSON.parse(event.data)));
    source.onopen = () => on.link(true);
    source.onerror = () => {
      on.link(false);
      // A stream that was refused (server restarting, session over) is not tried again by the browser.
      if (source.readyState === EventSource.CLOSED && !closed) retry = setTimeout(open, 2000);
    };
  };
  open();
  return () => { closed = true; clearTimeout(retry); source.close(); };
}
