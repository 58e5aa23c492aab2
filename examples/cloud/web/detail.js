// One meter: now, over time, every reading with its seal, the bill, the orders.
import { h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import htm from 'htm';
import { language, t } from './words.js';
import { get } from './server.js';
import { Icon } from './icons.js';
import { Chart } from './chart.js';
import { Presence, Relay, Seal } from './overview.js';
import { OrderTable } from './lists.js';
import { cut, glance, group, localName, money, siteNow, when } from './numbers.js';

const html = htm.bind(h);
const PERIODS = [['lastHour', 3600000], ['last6', 6 * 3600000], ['lastDay', 24 * 3600000], ['week', 7 * 24 * 3600000]];

function useDetail(id, stamp) {
  const [state, setState] = useState({});
  useEffect(() => {
    let gone = false;
    get(`/devices/${encodeURIComponent(id)}`).then((detail) => { if (!gone) setState({ detail }); })
      .catch((error) => { if (!gone) setState((old) => ({ ...old, error })); });
    return () => { gone = true; };
  }, [id, stamp]);
  return state;
}

function PowerChart({ device }) {
  const [length, setLength] = useState(PERIODS[0][1]);
  const [series, setSeries] = useState(null);
  const water = device.kind === 'water';
  const coarse = length > 6 * 3600000;
  const point = device.power_point;
  // Long periods show the greatest power of each hour; of a register, what it grew.
  const grows = device.power?.unit === 'm³';
  const tick = Math.floor((device.power?.time ?? 0) / (coarse ? 60000 : 2000));
  useEffect(() => {
    let gone = false;
    const to = Math.round(siteNow());
    get(`/devices/${encodeURIComponent(device.id)}/history?point=${point}&from=${to - length}&to=${to + 1}&by=${coarse ? 'hour' : 'raw'}&limit=600`)
      .then((answer) => { if (!gone) setSeries(answer); }).catch(() => {});
    return () => { gone = true; };
  }, [device.id, length, tick]);
  const rows = series?.rows ?? [];
  const label = grows ? t('register') : water ? t('flowChart') : t('powerChart');
  return html`<section class="card chart-card">
    <h2>${label}</h2>
    <div class="periods" role="group" aria-label=${t('period')}>
      ${PERIODS.map(([name, ms]) => html`<button key=${name} class="chip" aria-pressed=${ms === length} onClick=${() => { setSeries(null); setLength(ms); }}>${t(name)}</button>`)}
    </div>
    ${series === null ? html`<p class="empty-chart quiet" role="status">${t('loading')}</p>`
      : html`<${Chart} key=${length} times=${rows.map((row) => row.time / 1000)} values=${rows.map((row) => Number(coarse ? (grows ? row.grown : row.most) : row.value))} unit=${series.unit} label=${label} bars=${coarse} />`}
  </section>`;
}

function Bill({ bill }) {
  if (!bill) return null;
  const zh = language() === 'zh';
  return html`<section class="card"><h2>${t('bill')}</h2>
    <div class="wide"><table data-testid="bill"><thead><tr><th>${t('rate')}</th><th class="number">${t('energy')} (${bill.unit})</th><th class="number">${t('price')} (${bill.currency}/${bill.unit})</th><th class="number">${t('sum')} (${bill.currency})</th></tr></thead>
    <tbody>${bill.lines.map((line) => html`<tr key=${line.rate_en + line.tier}><th scope="row">${zh ? line.rate_zh : line.rate_en} <small class="quiet">${t('tier', line.tier)}</small></th><td class="number">${group(line.quantity)}</td><td class="number">${line.price}</td><td class="number">${group(line.amount)}</td></tr>`)}</tbody>
    <tfoot><tr><th scope="row">${t('total')}</th><td></td><td></td><td class="number"><b>${money(bill.total)}</b></td></tr></tfoot></table></div>
    ${bill.sealed && html`<p class="quiet seal-line"><${Icon} name="seal" />${t('billUntil', when(bill.until))}</p>`}
  </section>`;
}

function Points({ points }) {
  return html`<section class="card"><h2>${t('points')}</h2><div class="wide"><table>
    <thead><tr><th>${t('point')}</th><th class="number">${t('value')}</th><th class="number">${t('time')}</th><th>${t('seal')}</th></tr></thead>
    <tbody>${points.map((point) => html`<tr key=${point.point}><th scope="row">${localName(point)}</th><td class="number">${group(point.value)} <small>${point.unit}</small>${!point.good && html` <em class="tag bad">?</em>`}</td><td class="number">${when(point.time)}</td><td>${point.sealed ? html`<${Seal} reading=${point} words />` : html`<span class="quiet">–</span>`}</td></tr>`)}</tbody>
  </table></div></section>`;
}

export function Detail({ id, device, ready, session, act }) {
  const stamp = device ? `${Math.floor((device.last_seen ?? 0) / 1000)}|${device.orders.length}|${device.relay}` : '';
  const { detail, error } = useDetail(id, stamp);
  if (!device) {
    return ready || error ? html`<div class="empty"><h1>${t('notFound')}</h1><p><a href="#/overview">${t('overview')}</a></p></div>` : html`<p role="status">${t('loading')}</p>`;
  }
  const now = device.power && glance(device.power);
  const open = device.relay === 'open';
  return html`
    <nav class="crumbs" aria-label="Breadcrumb"><a href="#/overview"><${Icon} name="back" />${t('overview')}</a></nav>
    <header class="head">
      <div><h1>${device.name}</h1><p class="quiet">${device.id} · ${device.prepaid ? t('prepaid') : t('billed')} · <${Presence} device=${device} /></p></div>
      <div class="acts">
        ${device.prepaid && act.write && html`<button class="main" data-testid="buy-credit" onClick=${() => act.buy(id)}><${Icon} name="wallet" />${t('buy')}</button>`}
        ${device.kind === 'electricity' && device.relay && act.write && html`<button class=${open ? '' : 'danger'} data-testid=${open ? 'relay-close' : 'relay-open'} onClick=${() => act.relay(id, open ? 'close' : 'open')}><${Icon} name="power" />${t(open ? 'closeRelay' : 'open')}</button>`}
      </div>
    </header>
    <section class="tiles">
      <div class="tile"><${Icon} name=${device.kind} /><div><p class="quiet">${device.kind !== 'water' ? t('power') : device.power?.unit === 'm³' ? t('register') : t('flow')}</p><p class="value" data-testid="power">${now ? html`${now.value} <small>${now.unit}</small>` : '–'}</p></div></div>
      <div class="tile"><${Icon} name="clock" /><div><p class="quiet">${t('today')}</p><p class="value">${device.today.used ? html`${cut(device.today.used, 3)} <small>${device.today.unit}</small>` : '–'}</p></div></div>
      <div class="tile"><${Icon} name="wallet" /><div><p class="quiet">${device.prepaid ? t('balance') : t('cost')}</p><p class=${`value ${device.low ? 'low' : ''}`} data-testid=${device.prepaid ? 'balance' : 'money'}>${device.prepaid ? (device.balance ? html`${money(device.balance.value)} <small>${device.balance.unit}</small>` : '–') : device.today.money ? html`${money(device.today.money)} <small>${device.today.currency}</small>` : '–'}</p></div></div>
      <div class="tile"><${Icon} name="seal" /><div><p class="quiet">${t('register')}</p><p class="value">${device.register ? html`${group(device.register.value)} <small>${device.register.unit}</small>` : '–'}</p><${Seal} reading=${device.register} words /></div></div>
      ${device.export && Number(device.export.value) > 0 && html`<div class="tile"><${Icon} name="seal" /><div><p class="quiet">${t('exportRegister')}</p><p class="value">${group(device.export.value)} <small>${device.export.unit}</small></p><${Seal} reading=${device.export} words /></div></div>`}
    </section>
    ${device.kind === 'electricity' && html`<p class="state-line"><${Relay} device=${device} />${device.orders[0] && html` <span class="tag work">${t('inFlight', device.orders[0].number)}</span>`}</p>`}
    <${PowerChart} device=${device} />
    ${error && !detail && html`<p class="problem" role="alert">${error.status ? error.message : t('network')}</p>`}
    ${detail && html`<div class="columns"><${Bill} bill=${detail.bill} />
      <section class="card"><h2>${t('recentOrders')}</h2><${OrderTable} orders=${detail.recent_orders} currency=${session.currency} /></section></div>
      <${Points} points=${detail.points} />`}`;
}
