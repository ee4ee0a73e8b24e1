export interface NoticeAction {
  name: string;
  run: () => void;
  // Whether the key that takes back runs it.
  undo?: boolean;
}

export interface Notice {
  id: number;
  tone: 'ok' | 'bad';
  text: string;
  lines?: string[];
  actions?: NoticeAction[];
}

// Good news goes away by itself; bad news waits until it has been read (ms).
const READ = 10_000;
const MOST = 4;

// Notices say what became of what was done.
export class Notices {
  list = $state.raw<Notice[]>([]);
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>();
  private next = 1;

  // show returns the notice's number, or replaces the one that has it.
  show(notice: Omit<Notice, 'id'>, id = this.next++): number {
    clearTimeout(this.timers.get(id));
    const kept = this.list.filter((other) => other.id !== id);
    this.list = [...kept, { ...notice, id }].slice(-MOST);
    if (notice.tone === 'ok') this.timers.set(id, setTimeout(() => this.dismiss(id), READ));
    return id;
  }

  dismiss(id: number): void {
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  dismissLast(): boolean {
    const last = this.list.at(-1);
    if (last) this.dismiss(last.id);
    return Boolean(last);
  }

  undoLast(): void {
    for (const notice of [...this.list].reverse()) {
      const action = notice.actions?.find(({ undo }) => undo);
      if (action) return action.run();
    }
  }
}
