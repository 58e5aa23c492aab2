// Alarms: colour, shape and word; who has it; acknowledge with a comment.
import { h } from 'preact';
import { useState } from 'preact/hooks';
import htm from 'htm';
import { t } from './words.js';
import { post } from './server.js';
import { Icon } from './icons.js';
import { when } from './numbers.js';

const html = htm.bind(h);

function Row({ alarm, name, write, note, onChange }) {
  const [open, setOpen] = useState(false);
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      onChange(await post(`/alarms/${alarm.id}/acknowledge`, { comment }));
      setOpen(false);
    } catch (error) {
      setProblem(error.status ? error.message : t('network'));
    }
    setBusy(false);
  };
  const up = !alarm.cleared;
  return html`<li class=${`card alarm ${up ? `up s${Math.min(5, alarm.severity)}` : ''}`} data-testid="alarm" data-code=${alarm.code} data-state=${up ? 'up' : 'cleared'}>
    <span class="shape"><${Icon} name=${up ? 'alarms' : 'check'} /></span>
    <div class="what">
      <h2>${t(`alarm_${alarm.code}`)} <span class=${`tag ${up ? 'bad' : 'good'}`}>${t(up ? 'active' : 'cleared')}</span></h2>
      <p>${name(alarm.device)}${alarm.value ? html` · <b>${alarm.value}</b>` : ''}${alarm.limit ? html` <span class="quiet">(${t('limit', alarm.limit)})</span>` : ''}</p>
      <p class="quiet">${t('since', when(alarm.raised))}${alarm.cleared ? ` – ${when(alarm.cleared)}` : ''} · ${t('severity', alarm.severity)}</p>
      ${alarm.acknowledged && html`<p class="quiet"><${Icon} name="check" />${t('acknowledged', alarm.acknowledged_by)}, ${when(alarm.acknowledged)}${alarm.comment ? `: ${alarm.comment}` : ''}</p>`}
      ${open && html`<form onSubmit=${send} class="inline">
        <label>${t('comment')}<input value=${comment} maxlength="500" placeholder=${t('commentHint')} data-testid="alarm-comment" autofocus onInput=${(event) => setComment(event.target.value)} /></label>
        <div class="acts"><button type="button" onClick=${() => setOpen(false)}>${t('cancel')}</button><button class="main" data-testid="alarm-confirm" disabled=${busy}>${t('acknowledge')}</button></div>
        <p class="problem" role="alert">${problem}</p></form>`}
    </div>
    ${!alarm.acknowledged && !open && write && html`<button data-testid="alarm-acknowledge" onClick=${() => setOpen(true)}>${t('acknowledge')}</button>`}
  </li>`;
}

export function Alarms({ alarms, name, write, note, onChange }) {
  const rank = (alarm) => (alarm.cleared ? 0 : 16) + (alarm.acknowledged ? 0 : 8) + alarm.severity / 8;
  const sorted = [...alarms].sort((a, b) => rank(b) - rank(a) || b.raised - a.raised);
  if (!sorted.length) return html`<h1>${t('alarms')}</h1><div class="empty good"><${Icon} name="check" /><h2>${t('noAlarms')}</h2><p class="quiet">${t('noAlarmsLead')}</p></div>`;
  return html`<h1>${t('alarms')}</h1><ul class="alarm-list">${sorted.map((alarm) => html`<${Row} key=${alarm.id} alarm=${alarm} name=${name} write=${write} note=${note} onChange=${onChange} />`)}</ul>`;
}
