// The first screen: what is used now, what it costs today, what is wrong.
import { h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import htm from 'htm';
import { t } from './words.js';
import { get } from './server.js';
import { Icon } from './icons.js';
import { Chart } from './chart.js';
import { ago, cut, glance, group, money, siteNow, sum } from './numbers.js';

const html = htm.bind(h);
/** Total active power, point number of the unified standard. */
export const POWER = 3;



export function Seal({ reading, words = false }) {
  if (!reading?.sealed) return null;
  return html`<span class="seal" title=${t('sealedLong')} data-testid="sealed"><${Icon} name="seal" label=${words ? undefined : t('sealed')} />${words && html`<span>${t('sealed')}</span>`}</span>`;
}

export function Relay({ device }) {
  if (device.kind !== 'electricity') return null;
  const state = device.relay ?? 'unknown';
  const word = { open: 'relayOpen', closed: 'relayClosed', unknown: 'relayUnknown' }[state];
  return html`<span class=${`relay ${state}`} data-testid="relay-state" data-state=${state}><${Icon} name="power" />${t('relay')}: ${t(word)}</span>`;
}

export function Presence({ device }) {
  const since = device.last_seen ? t('stale', ago(device.last_seen)) : t('never');
  return device.online
    ? html`<span class="presence on"><i aria-hidden="true"></i>${t('online')}</span>`
    : html`<span class="presence off" data-testid="offline"><i aria-hidden="true"></i>${t('offline')} · ${since}</span>`;
}

/** A small curve of the last minutes; the number beside it says the same. */
function Spark({ points }) {
  if (!points || points.length < 3) return html`<svg class="spark" aria-hidden="true" />`;
  const first = points[0][0];
  const last = points.at(-1)[0];
  const values = points.map((point) => point[1]);
  const low = Math.min(0, ...values);
  const high = Math.max(low + 1, ...values);
  const at = ([time, value]) => `${(((time - first) / (last - first || 1)) * 100).toFixed(1)},${(30 - ((value - low) / (high - low)) * 28).toFixed(1)}`;
  const line = points.map(at).join(' ');
  return html`<svg class="spark" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
    <polygon points=${`0,32 ${line} 100,32`} /><polyline points=${line} /></svg>`;
}

function Fact({ label, children, id }) {
  return html`<div class="fact"><dt>${label}</dt><dd data-testid=${id}>${children}</dd></div>`;
}

function Card({ device, act, points }) {
  const now = device.power && glance(device.power);
  const water = device.kind === 'water';
  const order = device.orders[0];
  return html`<article class=${`card meter ${device.relay === 'open' ? 'dark-supply' : ''}`} data-testid="meter-card" data-device=${device.id}>
    <header>
      <span class=${`badge ${device.kind}`}><${Icon} name=${device.kind} /></span>
      <h3><a href=${`#/meter/${encodeURIComponent(device.id)}`}>${device.name}</a></h3>
      <${Presence} device=${device} />
    </header>
    <div class="now">
      <p class="big" data-testid="power" aria-label=${water ? t('flow') : t('power')}>${now ? html`${now.value} <small>${now.unit}</small>` : html`<span class="wait">–</span>`}</p>
      <${Spark} points=${points} />
    </div>
    <dl class="facts">
      <${Fact} label=${t('today')} id="today">${device.today.used ? html`${cut(device.today.used, 3)} <small>${device.today.unit}</small>` : '–'}<//>
      <${Fact} label=${t('cost')} id="money">${device.today.money ? html`${money(device.today.money)} <small>${device.today.currency}</small>` : '–'}<//>
      ${device.prepaid
        ? html`<${Fact} label=${t('balance')}><span data-testid="balance" class=${device.low ? 'low' : ''}>${device.balance ? html`${money(device.balance.value)} <small>${device.balance.unit}</small>` : '–'}</span>${device.low && html` <em class="tag bad">${t('keptLow')}</em>`}<//>`
        : water ? html`<${Fact} label=${t('register')}>${device.register ? `${group(device.register.value)} ${device.register.unit}` : '–'}<//>`
        : device.today.delivered && Number(device.today.delivered) > 0
          ? html`<${Fact} label=${t('delivered')}>${cut(device.today.delivered, 3)} <small>${device.today.unit}</small><//>`
          : html`<${Fact} label=${t('register')}>${device.register ? html`${group(device.register.value)} <small>${device.register.unit}</small> <${Seal} reading=${device.register} />` : '–'}<//>`}
    </dl>
    <footer>
      <${Relay} device=${device} />
      ${order && html`<span class="tag work" data-testid="in-flight">${t('inFlight', order.number)}</span>`}
      ${device.prepaid && act.write && html`<button class="main" data-testid="buy-credit" onClick=${() => act.buy(device.id)}>${t('buy')}</button>`}
      ${!device.prepaid && html`<a class="more" href=${`#/meter/${encodeURIComponent(device.id)}`} aria-label=${`${t('details')}: ${device.name}`}>${t('details')}</a>`}
    </footer>
  </article>`;
}

function Tile({ icon, label, children, bad }) {
  return html`<div class=${`tile ${bad ? 'bad' : ''}`}><${Icon} name=${icon} /><div><p class="quiet">${label}</p><p class="value">${children}</p></div></div>`;
}

/** Power of all electricity meters over the last hour, then live. */
function useTotal(meters, trail) {
  const ids = meters.filter((meter) => meter.kind === 'electricity').map((meter) => meter.id).join(',');
  const [past, setPast] = useState({});
  useEffect(() => {
    let gone = false;
    const to = Math.round(siteNow());
    const load = (id) => get(`/devices/${encodeURIComponent(id)}/history?point=${POWER}&from=${to - 3600000}&to=${to + 1}&by=raw&limit=240`)
      .then((series) => [id, series.rows.map((row) => [row.time / 1000, Number(row.value)])]);
    Promise.all(ids.split(',').filter(Boolean).map(load)).then((all) => { if (!gone) setPast(Object.fromEntries(all)); }).catch(() => {});
    return () => { gone = true; };
  }, [ids]);
  const lines = ids.split(',').filter(Boolean).map((id) => {
    const before = past[id] ?? [];
    const last = before.at(-1)?.[0] ?? 0;
    return [...before, ...(trail.get(id) ?? []).filter(([time]) => time > last)];
  });
  const begin = siteNow() / 1000 - 3600;
  const times = [...new Set(lines.flat().map(([time]) => Math.floor(time)))].filter((time) => time > begin).sort((a, b) => a - b);
  const at = lines.map(() => 0);
  const totals = times.map((time) => lines.reduce((all, line, which) => {
    while (at[which] + 1 < line.length && line[at[which] + 1][0] <= time + 1) at[which] += 1;
    const point = line[at[which]];
    // A meter that was silent for five minutes adds nothing.
    return point && point[0] <= time + 1 && time - point[0] < 300 ? all + point[1] : all;
  }, 0));
  return [times, totals];
}

export function Overview({ meters, alarms, session, act, trail, name }) {
  if (meters === null) {
    return html`<div class="cards" aria-busy="true">${[1, 2, 3, 4].map((n) => html`<div key=${n} class="card meter ghost" />`)}<p class="hidden" role="status">${t('loading')}</p></div>`;
  }
  if (!meters.length) return html`<div class="empty"><${Icon} name="electricity" /><h1>${t('noMeters')}</h1><p>${t('noMetersLead')}</p></div>`;
  return html`<${Filled} meters=${meters} alarms=${alarms} session=${session} act=${act} trail=${trail} name=${name} />`;
}

function Filled({ meters, alarms, session, act, trail, name }) {
  const total = useTotal(meters, trail);
  const electric = meters.filter((meter) => meter.kind === 'electricity');
  const power = electric.filter((meter) => meter.power).map((meter) => meter.power.value);
  const drawn = power.filter((value) => !value.startsWith('-'));
  const fed = power.filter((value) => value.startsWith('-')).map((value) => value.slice(1));
  const used = electric.map((meter) => meter.today.used).filter(Boolean);
  const cost = meters.map((meter) => meter.today.money).filter(Boolean);
  const up = alarms.filter((alarm) => !alarm.cleared);
  const watt = (values) => html`${group((Number(sum(values)) / 1000).toFixed(2))} <small>kW</small>`;
  const order = [...meters].sort((a, b) => (b.kind === 'electricity') - (a.kind === 'electricity') || a.id.localeCompare(b.id));
  const worst = up.filter((alarm) => !alarm.acknowledged).sort((a, b) => b.severity - a.severity)[0];
  return html`
    <h1 class="hidden">${t('overview')}</h1>
    ${worst && html`<a class="alert" href="#/alarms" data-testid="alarm-strip"><${Icon} name="alarms" /><span><b>${t(`alarm_${worst.code}`)}</b> · ${name(worst.device)}${worst.value ? ` · ${worst.value}` : ''}</span><span class="more">${t('alarms')}</span></a>`}
    <section class="tiles" aria-label=${t('today')}>
      <${Tile} icon="electricity" label=${t('totalNow')}>${watt(drawn.length ? drawn : ['0'])}<//>
      ${fed.length > 0 && html`<${Tile} icon="electricity" label=${t('exportNow')}>${watt(fed)}<//>`}
      <${Tile} icon="clock" label=${t('totalToday')}>${used.length ? html`${cut(sum(used), 2)} <small>kWh</small>` : '–'}<//>
      <${Tile} icon="wallet" label=${t('costToday')}>${cost.length ? html`${money(sum(cost))} <small>${session.currency}</small>` : '–'}<//>
      <${Tile} icon="alarms" label=${t('openAlarms')} bad=${up.length > 0}>${up.length}<//>
    </section>
    <section class="cards">${order.map((device) => html`<${Card} key=${device.id} device=${device} act=${act} points=${trail.get(device.id)} />`)}</section>
    <section class="card chart-card"><h2>${t('totalPower')} <small class="quiet">${t('lastHour')}</small></h2>
      <${Chart} times=${total[0]} values=${total[1]} unit="W" label=${t('totalPower')} /></section>`;
}
