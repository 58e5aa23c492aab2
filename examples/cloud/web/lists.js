// Orders, and the state of the platform itself.
import { h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import htm from 'htm';
import { t } from './words.js';
import { get } from './server.js';
import { group, money, when } from './numbers.js';

const html = htm.bind(h);
const KINDS = { open: 'open_kind', close: 'close_kind' };

export const orderWords = (order, currency) => (order.kind === 'recharge' ? t('recharge', `${money(order.amount)} ${currency}`) : t(KINDS[order.kind] ?? order.kind));

export function OrderTable({ orders, currency, name }) {
  if (!orders.length) return html`<p class="quiet">${t('noOrders')}</p>`;
  return html`<div class="wide"><table data-testid="orders"><thead><tr><th class="number">${t('number')}</th>${name && html`<th>${t('device')}</th>`}<th>${t('order')}</th><th>${t('state')}</th><th>${t('who')}</th><th class="number">${t('time')}</th></tr></thead>
    <tbody>${orders.map((order) => html`<tr key=${order.number} data-testid="order"><td class="number">${order.number}</td>${name && html`<td>${name(order.device)}</td>`}<td>${orderWords(order, currency)}</td>
      <td><span class=${`tag ${{ done: 'good', refused: 'bad', expired: 'bad' }[order.state] ?? 'work'}`}>${t(order.state === 'done' ? 'done_state' : order.state)}</span>${order.reason && html`<br /><small class="quiet">${order.reason}</small>`}</td>
      <td>${order.actor}</td><td class="number">${when(order.answered ?? order.created)}</td></tr>`)}</tbody></table></div>`;
}

/** Loads now, and again whenever `stamp` changes. */
function useLoaded(path, stamp) {
  const [state, setState] = useState({});
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    get(path).then((data) => { if (!gone) setState({ data }); }).catch((error) => { if (!gone) setState((old) => ({ ...old, error })); });
    return () => { gone = true; };
  }, [path, stamp, tries]);
  return { ...state, retry: () => setTries((n) => n + 1) };
}

function Waiting({ state }) {
  if (!state.error) return html`<p role="status">${t('loading')}</p>`;
  return html`<div class="empty"><h1>${t('error')}</h1><p>${state.error.status ? state.error.message : t('network')}</p><button class="main" onClick=${state.retry}>${t('retry')}</button></div>`;
}

export function Orders({ devices, name, currency }) {
  const stamp = devices ? [...devices.values()].map((device) => device.orders.map((order) => order.number + order.state).join()).join('|') : '';
  const state = useLoaded('/orders', stamp);
  return html`<h1>${t('orders')}</h1>${state.data ? html`<section class="card"><${OrderTable} orders=${state.data} currency=${currency} name=${name} /></section>` : html`<${Waiting} state=${state} />`}`;
}

export function System() {
  const [tick, setTick] = useState(0);
  useEffect(() => { const timer = setInterval(() => setTick((n) => n + 1), 3000); return () => clearInterval(timer); }, []);
  const state = useLoaded('/diagnostics', tick);
  if (!state.data) return html`<h1>${t('system')}</h1><${Waiting} state=${state} />`;
  const { counts, refusals, sealed, audit } = state.data;
  const bad = (name) => name.startsWith('bad_') || name.startsWith('refused_') || name.startsWith('unknown_');
  return html`<h1>${t('system')}</h1>
    <section class="tiles small" aria-label=${t('counts')} data-testid="counts">${Object.entries(counts).map(([name, count]) => html`<div key=${name} class=${`tile ${bad(name) && count ? 'bad' : ''}`}><div><p class="quiet">${t(`n_${name}`)}</p><p class="value" data-testid=${`count-${name}`}>${group(String(count))}</p></div></div>`)}</section>
    <div class="columns">
      <section class="card"><h2>${t('sealedRecords')}</h2><div class="wide"><table><thead><tr><th>${t('device')}</th><th class="number">${t('boot')}</th><th class="number">${t('records')}</th><th class="number">${t('first')}</th><th class="number">${t('last')}</th></tr></thead>
        <tbody>${sealed.map((row) => html`<tr key=${row.device + row.boot}><th scope="row">${row.device}</th><td class="number">${row.boot}</td><td class="number">${group(String(row.records))}</td><td class="number">${row.first}</td><td class="number">${row.last}</td></tr>`)}</tbody></table></div></section>
      <section class="card"><h2>${t('refusals')}</h2>${refusals.length ? html`<ul class="log">${refusals.slice(0, 20).map((one, at) => html`<li key=${at}><time class="quiet">${when(one.time)}</time> ${one.text}</li>`)}</ul>` : html`<p class="quiet">${t('noRefusals')}</p>`}</section>
    </div>
    <section class="card"><h2>${t('audit')}</h2><div class="wide"><table><thead><tr><th class="number">${t('time')}</th><th>${t('who')}</th><th>${t('action')}</th><th>${t('object')}</th><th>${t('detail')}</th></tr></thead>
      <tbody>${audit.map((line, at) => html`<tr key=${at}><td class="number">${when(line.time)}</td><td>${line.actor}</td><td>${line.action}</td><td>${line.object}</td><td>${line.detail}</td></tr>`)}</tbody></table></div></section>`;
}
