// The page: what is shown and when. Pieces are in the other modules.
import { h, render } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import htm from 'htm';
import { language, setLanguage, t } from './words.js';
import { get, listen, post, setCsrf } from './server.js';
import { setClock, setSite, offsetText } from './numbers.js';
import { Icon } from './icons.js';
import { Overview } from './overview.js';
import { Detail } from './detail.js';
import { Alarms } from './alarms.js';
import { Orders, System } from './lists.js';
import { BuyDialog, RelayDialog } from './dialogs.js';

const html = htm.bind(h);

/** Place in the page from the address: `#/meter/<id>` and so on. */
function readPlace() {
  const [, name = '', id] = location.hash.split('/');
  return { name: name || 'overview', id: id ? decodeURIComponent(id) : undefined };
}

function usePlace() {
  const [place, setPlace] = useState(readPlace());
  useEffect(() => {
    const changed = () => { setPlace(readPlace()); window.scrollTo(0, 0); };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return place;
}

function Login({ onDone }) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    setBusy(true);
    setProblem('');
    try {
      onDone(await post('/login', { user: form.get('user'), password: form.get('password') }));
    } catch (error) {
      setProblem(error.status ? error.message : t('network'));
      setBusy(false);
    }
  };
  return html`<main class="login" id="content">
    <form class="card" onSubmit=${submit}>
      <img src="/web/icon.svg" alt="" width="56" height="56" />
      <h1>meterkit</h1>
      <p class="quiet">${t('signInLead')}</p>
      <label>${t('name')}<input name="user" data-testid="login-name" autocomplete="username" autocapitalize="none" required autofocus /></label>
      <label>${t('password')}<input name="password" type="password" data-testid="login-password" autocomplete="current-password" required /></label>
      <p class="problem" role="alert">${problem}</p>
      <button class="main" data-testid="login-submit" disabled=${busy}>${t('signIn')}</button>
      <${LanguageButton} />
    </form>
  </main>`;
}

const rerender = { all: () => {} };

function LanguageButton() {
  return html`<button type="button" class="plain" data-testid="language" aria-label=${t('languageLabel')}
    onClick=${() => { setLanguage(language() === 'en' ? 'zh' : 'en'); rerender.all(); }}>${t('language')}</button>`;
}

function ThemeButton() {
  const flip = () => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const now = document.documentElement.dataset.theme ?? (dark ? 'dark' : 'light');
    setTheme(now === 'dark' ? 'light' : 'dark');
    rerender.all();
  };
  return html`<button type="button" class="plain icon" aria-label=${t('theme')} title=${t('theme')} onClick=${flip}><${Icon} name="theme" /></button>`;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem('theme', theme);
}
if (localStorage.getItem('theme')) setTheme(localStorage.getItem('theme'));

const PLACES = [['overview', 'overview'], ['alarms', 'alarms'], ['orders', 'orders'], ['system', 'system']];

function Menu({ place, up, admin }) {
  const places = PLACES.filter(([name]) => name !== 'system' || admin);
  return html`<nav class="menu" aria-label=${t('menu')}>
    ${places.map(([name, icon]) => html`<a href=${`#/${name}`} data-testid=${`go-${name}`} aria-current=${place === name || (place === 'meter' && name === 'overview') ? 'page' : undefined}>
      <${Icon} name=${icon} /><span>${t(name)}</span>
      ${name === 'alarms' && up > 0 && html`<b class="count" data-testid="alarm-count">${up}</b>`}</a>`)}
  </nav>`;
}

function App() {
  const [, again] = useState(0);
  rerender.all = () => again((n) => n + 1);
  const [session, setSession] = useState(null);
  const [devices, setDevices] = useState(null);
  const [alarms, setAlarms] = useState([]);
  const [linked, setLinked] = useState(true);
  const [wish, setWish] = useState(null);
  const [notes, setNotes] = useState([]);
  const trail = useRef(new Map());
  const pending = useRef(new Map());
  const place = usePlace();

  const enter = useCallback((next) => {
    setCsrf(next.csrf);
    setSite(next.offset_minutes);
    setClock(next.now, next.speed);
    setSession(next);
  }, []);
  useEffect(() => {
    get('/session').then(enter).catch((error) => setSession(error.status === 401 ? false : { failed: true }));
  }, []);

  const note = useCallback((text, kind = 'good') => {
    const id = Math.random();
    setNotes((all) => [...all.slice(-2), { id, text, kind }]);
    setTimeout(() => setNotes((all) => all.filter((one) => one.id !== id)), 9000);
  }, []);

  // An order that somebody gave on this page: its end is told in words.
  const watch = useCallback((order) => {
    pending.current.set(order.number, order.device);
    note(t('orderSent', order.number));
  }, []);
  const settle = async (device) => {
    for (const [number, of] of pending.current) {
      if (of !== device.id || device.orders.some((order) => order.number === number)) continue;
      pending.current.delete(number);
      const order = await get(`/orders/${number}`).catch(() => null);
      if (order?.state === 'done') note(t('orderDone', number));
      else if (order?.state === 'refused') note(t('orderRefused', number, order.reason ?? ''), 'bad');
      else if (order?.state === 'expired') note(t('orderExpired', number), 'bad');
      else if (order) pending.current.set(number, of);
    }
  };

  useEffect(() => {
    if (!session?.user) return undefined;
    get('/alarms').then(setAlarms).catch(() => {});
    get('/devices').then((all) => setDevices(new Map(all.map((one) => [one.id, one])))).catch(() => {});
    let failures = 0;
    return listen({
      device: (device) => {
        if (device.power) {
          const points = trail.current.get(device.id) ?? [];
          const time = device.power.time / 1000;
          if (!points.length || points.at(-1)[0] < time) points.push([time, Number(device.power.value)]);
          trail.current.set(device.id, points.slice(-240));
        }
        setDevices((all) => new Map(all ?? []).set(device.id, device));
        settle(device);
      },
      alarm: (alarm) => setAlarms((all) => [alarm, ...all.filter((one) => one.id !== alarm.id)]),
      clock: (now) => setClock(now, session.speed),
      link: (up) => {
        setLinked(up);
        failures = up ? 0 : failures + 1;
        // Either the server is away or the session is over: ask.
        if (failures === 2) get('/session').catch((error) => { if (error.status === 401) setSession(false); });
      },
    });
  }, [session?.user]);

  if (session === null) return html`<p class="boot" role="status">${t('loading')}</p>`;
  if (session === false) return html`<${Login} onDone=${enter} />`;
  if (session.failed) {
    return html`<main class="login" id="content"><div class="card"><h1>${t('error')}</h1><p>${t('network')}</p>
      <button class="main" onClick=${() => location.reload()}>${t('retry')}</button></div></main>`;
  }

  const up = alarms.filter((alarm) => !alarm.cleared).length;
  const meters = devices && [...devices.values()].filter((device) => device.kind !== 'gateway')
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.id.localeCompare(b.id));
  const device = wish && devices?.get(wish.id);
  const write = session.role !== 'viewer';
  const act = { buy: (id) => setWish({ kind: 'buy', id }), relay: (id, action) => setWish({ kind: 'relay', id, action }), write };
  const name = (id) => devices?.get(id)?.name ?? id;
  const page = {
    overview: () => html`<${Overview} meters=${meters} alarms=${alarms} session=${session} act=${act} trail=${trail.current} name=${name} />`,
    meter: () => html`<${Detail} key=${place.id} id=${place.id} device=${devices?.get(place.id)} ready=${devices !== null} session=${session} act=${act} />`,
    alarms: () => html`<${Alarms} alarms=${alarms} name=${name} write=${write} note=${note} onChange=${(alarm) => setAlarms((all) => all.map((one) => (one.id === alarm.id ? alarm : one)))} />`,
    orders: () => html`<${Orders} devices=${devices} name=${name} currency=${session.currency} />`,
    system: () => html`<${System} />`,
  }[place.name] ?? (() => html`<p>${t('notFound')}</p>`);

  return html`
    <a class="skip" href="#content" onClick=${(event) => { event.preventDefault(); document.getElementById('content').focus(); }}>${t('skip')}</a>
    <header class="top">
      <a class="brand" href="#/overview"><img src="/web/icon.svg" alt="" width="28" height="28" /><span>meterkit</span></a>
      <${Menu} place=${place.name} up=${up} admin=${session.role === 'admin'} />
      <div class="tools">
        <span class="quiet site">${session.speed > 1 ? `${t('speed', session.speed)} · ` : ''}${t('siteTime', offsetText())}</span>
        <${LanguageButton} /><${ThemeButton} />
        <button type="button" class="plain" data-testid="sign-out" onClick=${() => post('/logout').finally(() => { setDevices(null); setSession(false); })}>${t('signOut')}</button>
      </div>
    </header>
    ${!linked && html`<p class="banner" role="status" data-testid="offline-banner">${t('reconnecting')}</p>`}
    <main id="content" tabindex="-1" class=${linked ? '' : 'stale'}>${page()}</main>
    <div class="notes" role="status" aria-live="polite">
      ${notes.map((one) => html`<p key=${one.id} class=${`note ${one.kind}`} data-testid="note"><${Icon} name=${one.kind === 'good' ? 'check' : 'alarms'} />${one.text}</p>`)}
    </div>
    ${wish?.kind === 'buy' && device && html`<${BuyDialog} device=${device} session=${session} onClose=${() => setWish(null)} onOrder=${watch} />`}
    ${wish?.kind === 'relay' && device && html`<${RelayDialog} device=${device} action=${wish.action} onClose=${() => setWish(null)} onOrder=${watch} />`}`;
}

render(html`<${App} />`, document.getElementById('app'));
