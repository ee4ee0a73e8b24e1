import './page.css';
import { language } from '../messages/locale';
import type { View } from '../protocol/types';
import { early } from './early';
import { arrival, detail, headline, referenceOf, t } from './texts';

// The customer's one answer is asked for and written into the page of
// track.html while the app is still on its way; the app then takes its place.

// An answer that takes longer (ms) is waited for by the app, which can say so.
const PATIENCE = 1_500;
const PAUSE = 3_000; // ms until an app that could not be had is tried again

document.documentElement.lang = language;
document.title = t.title;
addEventListener('hashchange', () => location.reload());
say('h1', t.loading);

const written = early.answer?.then(write).then(painted);
const patience = new Promise((done) => setTimeout(done, PATIENCE));
void Promise.race([written, patience]).catch(() => {}).then(() => import('./main')).catch(again);

function write(view: View): void {
  const now = Date.now();
  const status = document.querySelector('#first .status')!;
  const title = headline(view, now);
  document.title = `${title} · ${referenceOf(view)}`;
  say('header span', referenceOf(view));
  status.replaceChildren(made('h1', title), ...detail(view, now).map((line) => made('p', line)));
  status.removeAttribute('aria-busy');
  const due = arrival(view, now);
  if (!due) return;
  const section = made('section', '', 'arrival');
  const row = made('div', '', 'row');
  row.append(made('h2', due.label, 'label'));
  section.append(row, made('p', due.range, 'range'));
  status.after(section);
}

function say(where: string, text: string): void {
  document.querySelector(`#first ${where}`)!.textContent = text;
}

function made(tag: string, text: string, className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

// painted is when the text is on the screen: the app's own start is long.
function painted(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}

// again: the app could not be had, and without it the text would grow old
// unseen.
async function again(): Promise<void> {
  await new Promise((done) => setTimeout(done, PAUSE));
  const there = await fetch(location.pathname, { method: 'HEAD' }).catch(() => undefined);
  if (there?.ok) location.reload();
  else void again();
}
