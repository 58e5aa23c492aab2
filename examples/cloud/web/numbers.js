// Numbers arrive as exact decimal text and stay text: only digits are grouped or left out, nothing is calculated.
import { language, t } from './words.js';

/** Groups digits by thin spaces. @param {string} text */
export function group(text) {
  const [, sign, whole, part] = /^([-+]?)(\d+)(\.\d+)?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  return (sign === '-' ? '−' : '') + whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') + (part ?? '');
}

/** Cuts decimals for a small place on the screen; the full digits stand in the table. @param {string} text @param {number} places */
export function cut(text, places) {
  const dot = text.indexOf('.');
  if (dot < 0) return group(text);
  return group(places === 0 ? text.slice(0, dot) : text.slice(0, dot + 1 + places));
}

/** A power for reading at a glance: watts below 10 kW, kilowatts above. @param {{value: string, unit: string}} reading */
export function glance(reading) {
  const size = Math.abs(Number(reading.value));
  if (reading.unit === 'W' && size >= 10000) return { value: group((Number(reading.value) / 1000).toFixed(2)), unit: 'kW' };
  if (reading.unit === 'W') return { value: cut(reading.value, size < 100 ? 1 : 0), unit: 'W' };
  return { value: group(reading.value), unit: reading.unit };
}

/** Places of money on the screen. @param {string} text */
export const money = (text) => {
  const dot = text.indexOf('.');
  if (dot < 0) return group(`${text}.00`);
  return group(text.slice(0, dot) + (text.slice(dot) + '00').slice(0, 3));
};

/** Sum of exact decimals. @param {string[]} texts @returns {string} */
export function sum(texts) {
  const places = Math.max(0, ...texts.map((text) => (text.split('.')[1] ?? '').length));
  const total = texts.reduce((all, text) => {
    const [whole, part = ''] = text.replace('-', '').split('.');
    const size = BigInt(whole + part.padEnd(places, '0'));
    return all + (text.startsWith('-') ? -size : size);
  }, 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, '0');
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return (total < 0n ? '-' : '') + text;
}

let offsetMinutes = 0;
let lead = 0;

/** Time of the site: its offset, and how far the platform's clock is from this machine's. */
export function setSite(offset) { offsetMinutes = offset; }
export function setClock(now, speed) { lead = { now, at: performance.now(), speed }; }

/** Platform time now. */
export const siteNow = () => (lead ? lead.now + (performance.now() - lead.at) * lead.speed : Date.now());

const site = (ms) => new Date(ms + offsetMinutes * 60000);
const two = (n) => String(n).padStart(2, '0');

/** Clock time at the site. @param {number} ms */
export function clock(ms) {
  const d = site(ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

/** Date and time at the site, the date only if it is not today. @param {number} ms */
export function when(ms) {
  const d = site(ms);
  const today = site(siteNow());
  const same = d.toISOString().slice(0, 10) === today.toISOString().slice(0, 10);
  return same ? clock(ms) : `${d.toISOString().slice(0, 10)} ${clock(ms)}`;
}

/** Age in words. @param {number} ms platform time */
export function ago(ms) {
  const s = Math.max(0, Math.round((siteNow() - ms) / 1000));
  if (s < 90) return t('ago_s', s);
  if (s < 5400) return t('ago_m', Math.round(s / 60));
  return t('ago_h', Math.round(s / 3600));
}

/** Offset of the site as text, +08:00. */
export function offsetText() {
  const size = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export const localName = (point) => (language() === 'zh' ? point.name_zh : point.name_en);
