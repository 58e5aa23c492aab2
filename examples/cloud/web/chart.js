// A time series with its unit, and the same in words for those who do not see it.
import { h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import htm from 'htm';
import uPlot from 'uplot';
import { t } from './words.js';
import { clock, group, when } from './numbers.js';

const html = htm.bind(h);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {{times: number[], values: (number|null)[], unit: string, label: string, bars?: boolean}} props times in seconds */
export function Chart({ times, values, unit, label, bars = false }) {
  const box = useRef(null);
  const plot = useRef(null);
  const theme = document.documentElement.dataset.theme ?? '';
  const empty = times.length < 2;

  useEffect(() => {
    if (empty) return undefined;
    const ink = colour('--quiet');
    const axis = { stroke: ink, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    const span = (u) => u.data[0].at(-1) - u.data[0][0];
    const made = new uPlot({
      width: box.current.clientWidth,
      height: 240,
      padding: [12, 20, 0, 0],
      cursor: { points: { size: 7 }, drag: { x: false, y: false } },
      legend: { show: true, live: true },
      scales: { x: { time: true }, y: { range: (_, low, high) => {
        const pad = (high - low || Math.abs(high) || 1) * 0.08;
        return [low >= 0 ? 0 : low - pad, high <= 0 ? 0 : high + pad];
      } } },
      axes: [
        { ...axis, space: 70, values: (u, ticks) => ticks.map((time) => (span(u) > 172800 ? when(time * 1000).slice(5, 10) : clock(time * 1000).slice(0, span(u) < 900 ? 8 : 5))) },
        { ...axis, size: 64, label: undefined, values: (_, ticks) => ticks.map((value) => `${group(String(Math.abs(value) < 1e-9 ? 0 : value))}${value === ticks.at(-1) ? ` ${unit}` : ''}`) },
      ],
      series: [
        { label: t('time'), value: (_, time) => (time ? when(time * 1000) : '–') },
        { label: `${label} (${unit})`, stroke: colour('--accent'), width: 2, fill: colour('--accent-soft'), points: { show: false },
          paths: bars ? uPlot.paths.bars({ size: [0.7, 60] }) : undefined, spanGaps: false,
          value: (_, value) => (value === null || value === undefined ? '–' : `${group(String(value))} ${unit}`) },
      ],
    }, [times, values], box.current);
    plot.current = made;
    const size = new ResizeObserver(() => { if (box.current) made.setSize({ width: box.current.clientWidth, height: 240 }); });
    size.observe(box.current);
    return () => { size.disconnect(); made.destroy(); plot.current = null; };
  }, [empty, unit, label, bars, theme]);

  useEffect(() => { plot.current?.setData([times, values]); }, [times, values]);

  if (empty) return html`<p class="empty-chart quiet">${t('noData')}</p>`;
  const known = values.filter((value) => value !== null);
  const words = `${label}: ${when(times[0] * 1000)} – ${when(times.at(-1) * 1000)}, ${Math.min(...known)} – ${Math.max(...known)} ${unit}, ${t('now')} ${known.at(-1)} ${unit}`;
  return html`<figure class="chart" data-testid="chart"><div ref=${box} role="img" aria-label=${words}></div></figure>`;
}
