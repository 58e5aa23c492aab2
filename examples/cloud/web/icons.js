// Line icons, drawn for this page: they take the colour of the text beside them.
import { h } from 'preact';
import htm from 'htm';

const html = htm.bind(h);

const PATHS = {
  overview: 'M4 13a8 8 0 1 1 16 0M12 13l4-5M4 18h16',
  alarms: 'M12 4 2.8 20h18.4L12 4zM12 10v4M12 17v.2',
  orders: 'M5 4h14v16l-3-2-2 2-2-2-2 2-2-2-3 2V4zM9 9h6M9 13h6',
  system: 'M4 6h16v5H4zM4 13h16v5H4zM8 8.5v.1M8 15.5v.1',
  theme: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
  electricity: 'M13 2 5 14h6l-1 8 9-13h-6l0-7z',
  water: 'M12 3s7 7.2 7 11.5A7 7 0 0 1 5 14.5C5 10.2 12 3 12 3z',
  seal: 'M12 2.5 20 6v6c0 5-3.4 8.3-8 9.5C7.4 20.3 4 17 4 12V6l8-3.5zM8.5 12l2.5 2.5 4.5-5',
  check: 'M4 12.5 9.5 18 20 6.5',
  back: 'M15 5l-7 7 7 7',
  power: 'M12 3v9M6.5 6.5a8 8 0 1 0 11 0',
  wallet: 'M4 7h15v12H4zM4 7l11-3v3M19 11h2v4h-4v-4h2z',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2',
};

/** @param {{name: string, label?: string}} props */
export function Icon({ name, label }) {
  return html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round" role=${label ? 'img' : undefined} aria-label=${label} aria-hidden=${label ? undefined : 'true'}>
    <path d=${PATHS[name] ?? ''} /></svg>`;
}
