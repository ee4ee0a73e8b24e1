import { actionsFor, type Action } from './actions';
import { tabs, type Desk } from './desk.svelte';
import { d } from './texts';

export type ShortcutName = keyof typeof d.keys;

interface Shortcut {
  keys: string[];
  run: (desk: Desk) => void;
}

// Whichever of these the order allows.
const act = (...actions: Action[]) => (desk: Desk) => {
  const order = desk.selected;
  const action = order && actions.find((wanted) => actionsFor(order).includes(wanted));
  if (action) desk.act(action);
};

function focus(id: string): void {
  // Once the pane that it is in is shown.
  requestAnimationFrame(() => document.getElementById(id)?.focus());
}

// The sheet is drawn from this table, so that it says what is so.
export const shortcuts: Record<ShortcutName, Shortcut> = {
  search: { keys: ['/'], run: (desk) => (desk.show(desk.tab), focus('search')) },
  lanes: { keys: ['1', '2', '3', '4', '5'], run: () => {} },
  list: { keys: ['q'], run: (desk) => (desk.show(desk.tab), focus('queue-rows')) },
  map: { keys: ['m'], run: (desk) => ((desk.page = 'board'), (desk.pane = 'map')) },
  alerts: { keys: ['b'], run: (desk) => ((desk.alertsOpen = !desk.alertsOpen), (desk.pane = 'alerts'), focus('alert-list')) },
  reports: { keys: ['g'], run: (desk) => (desk.page = desk.page === 'reports' ? 'board' : 'reports') },
  newOrder: { keys: ['n'], run: (desk) => desk.fleet.mayAct && (desk.asking = { what: 'order' }) },
  newCourier: { keys: ['e'], run: (desk) => desk.fleet.mayAct && (desk.asking = { what: 'courier' }) },
  assign: { keys: ['a'], run: act('assign', 'reassign') },
  unassign: { keys: ['u'], run: act('unassign') },
  pin: { keys: ['p'], run: act('pin', 'unpin') },
  cancel: { keys: ['x'], run: act('cancel') },
  retry: { keys: ['r'], run: act('retry', 'return') },
  link: { keys: ['l'], run: (desk) => desk.selected && (desk.asking = { what: 'link', order: desk.selected }) },
  undo: { keys: ['z'], run: (desk) => desk.notices.undoLast() },
  close: { keys: ['Escape'], run: () => {} },
  keys: { keys: ['?'], run: (desk) => (desk.asking = { what: 'keys' }) },
};

const named: Record<string, ShortcutName> = { reassign: 'assign', unpin: 'pin', return: 'retry' };

// keyOf is the key of an action, for aria-keyshortcuts.
export function keyOf(action: Action | 'link'): string | undefined {
  return shortcuts[named[action] ?? (action as ShortcutName)]?.keys[0];
}

const OFF = 'dispatch.keys-off';

// Single letters can be switched off: speech input types them by accident.
export function lettersOn(): boolean {
  return localStorage.getItem(OFF) === null;
}

export function switchLetters(on: boolean): void {
  if (on) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, '1');
}

const bare = 'input, textarea, select, [contenteditable]';

// press runs what a key stands for, and says whether there was anything.
export function press(event: KeyboardEvent, desk: Desk): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || desk.asking) return false;
  if (event.target instanceof HTMLElement && event.target.matches(bare)) return false;
  if (event.key === 'Escape') return escape(desk);
  if (!lettersOn() && event.key !== '?') return false;
  const lane = tabs[Number(event.key) - 1];
  if (lane) {
    desk.show(lane);
    focus('queue-rows');
    return true;
  }
  const found = Object.values(shortcuts).find(({ keys }) => keys.includes(event.key));
  found?.run(desk);
  return Boolean(found);
}

// escape closes what was opened last.
function escape(desk: Desk): boolean {
  if (desk.alertsOpen) desk.alertsOpen = false;
  else if (desk.page === 'reports') desk.page = 'board';
  else if (desk.fleet.selection) desk.close();
  else return desk.notices.dismissLast();
  return true;
}
