import type { Entry, Storage } from './outbox';

const DATABASE = 'courier';
const STORE = 'outbox';

// durable is the queue's place on the phone. Where there is no IndexedDB
// (private windows of some browsers) the queue lives as long as the page.
export async function durable(): Promise<Storage> {
  try {
    return new Indexed(await open());
  } catch {
    return new InMemory();
  }
}

export class InMemory implements Storage {
  readonly entries = new Map<number, Entry>();

  async all(): Promise<Entry[]> {
    return [...this.entries.values()];
  }

  async put(entry: Entry): Promise<void> {
    this.entries.set(entry.key, structuredClone(entry));
  }

  async delete(key: number): Promise<void> {
    this.entries.delete(key);
  }

  async clear(): Promise<void> {
    this.entries.clear();
  }
}

class Indexed implements Storage {
  constructor(private readonly database: IDBDatabase) {}

  all(): Promise<Entry[]> {
    return done(this.store('readonly').getAll() as IDBRequest<Entry[]>);
  }

  async put(entry: Entry): Promise<void> {
    await done(this.store('readwrite').put(entry));
  }

  async delete(key: number): Promise<void> {
    await done(this.store('readwrite').delete(key));
  }

  async clear(): Promise<void> {
    await done(this.store('readwrite').clear());
  }

  private store(mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(STORE, mode).objectStore(STORE);
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
