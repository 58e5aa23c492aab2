// Acts with consequences: said in words, then confirmed.
import { h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import htm from 'htm';
import { t } from './words.js';
import { newKey, post } from './server.js';
import { money, sum } from './numbers.js';

const html = htm.bind(h);

/** A modal with the browser's own focus trap and Escape. */
function Dialog({ title, onClose, children }) {
  const box = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${box} onClose=${onClose} onClick=${(event) => { if (event.target === box.current) box.current.close(); }} aria-labelledby="dialog-title">
    <div class="dialog"><h2 id="dialog-title">${title}</h2>${children}</div></dialog>`;
}

const AMOUNTS = ['10', '20', '50', '100'];
const good = (text) => /^\d{1,6}(\.\d{1,2})?$/.test(text) && Number(text) > 0;

export function BuyDialog({ device, session, onClose, onOrder }) {
  const [amount, setAmount] = useState('20');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  // One key for this wish: pressing twice, or again after a lost answer, buys once.
  const key = useRef(newKey());
  const change = (next) => { setAmount(next.trim()); setProblem(''); key.current = newKey(); };
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      onOrder(await post(`/devices/${encodeURIComponent(device.id)}/sales`, { amount }, key.current));
      onClose();
    } catch (error) {
      setProblem(error.status ? error.message : t('network'));
      setBusy(false);
    }
  };
  const shown = good(amount) ? `${money(amount)} ${session.currency}` : '';
  return html`<${Dialog} title=${t('buyTitle', device.name)} onClose=${onClose}>
    <form onSubmit=${send} novalidate>
      <div class="periods" role="group" aria-label=${t('amount')}>${AMOUNTS.map((one) => html`<button type="button" key=${one} class="chip" aria-pressed=${one === amount} onClick=${() => change(one)}>${one}</button>`)}</div>
      <label>${t('amount')} (${session.currency})<input inputmode="decimal" value=${amount} data-testid="buy-amount" autocomplete="off" aria-invalid=${problem ? 'true' : 'false'} aria-describedby="buy-problem" onInput=${(event) => change(event.target.value)} /></label>
      <dl class="facts two"><div class="fact"><dt>${t('balanceNow')}</dt><dd>${device.balance ? `${money(device.balance.value)} ${device.balance.unit}` : '–'}</dd></div>
        <div class="fact"><dt>${t('balanceAfter')}</dt><dd>${device.balance && good(amount) ? `${money(sum([device.balance.value, amount]))} ${device.balance.unit}` : '–'}</dd></div></dl>
      <p class="quiet">${t('buyExplain', shown)}</p>
      <p class="problem" id="buy-problem" role="alert">${problem}</p>
      <div class="acts"><button type="button" onClick=${onClose}>${t('cancel')}</button><button class="main" data-testid="buy-confirm" disabled=${busy || !good(amount)}>${t('confirmBuy', shown)}</button></div>
    </form><//>`;
}

export function RelayDialog({ device, action, onClose, onOrder }) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey());
  const open = action === 'open';
  const send = async () => {
    setBusy(true);
    setProblem('');
    try {
      onOrder(await post(`/devices/${encodeURIComponent(device.id)}/relay`, { action }, key.current));
      onClose();
    } catch (error) {
      setProblem(error.status ? error.message : t('network'));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${t(open ? 'openAsk' : 'closeAsk', device.name)} onClose=${onClose}>
    <p>${t(open ? 'openExplain' : 'closeExplain', device.name)}</p>
    <p class="problem" role="alert">${problem}</p>
    <div class="acts"><button type="button" autofocus onClick=${onClose}>${t('cancel')}</button><button class=${open ? 'danger' : 'main'} data-testid="relay-confirm" disabled=${busy} onClick=${send}>${t(open ? 'confirmOpen' : 'confirmClose')}</button></div><//>`;
}
