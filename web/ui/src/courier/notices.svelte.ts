export interface Notice {
  id: number;
  tone: 'info' | 'warn' | 'bad';
  text: string;
}

const MOST = 4;

// Notices tell the courier what others did, until it has seen them.
export class Notices {
  list = $state.raw<Notice[]>([]);
  private counter = 0;

  tell = (tone: Notice['tone'], text: string): void => {
    if (this.list.some((notice) => notice.text === text)) return;
    this.list = [...this.list.slice(1 - MOST), { id: ++this.counter, tone, text }];
  };

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}
