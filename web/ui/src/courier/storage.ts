import type { Entry, Storage } from './outbox';

const STORE = 'outbox';
const OPENING = 4_000; // ms

// durable is the queue's place on the phone, one for each courier that signs
// in on it: nobody sends another's. Where there is no IndexedDB (private
// windows of some browsers), or where it does not answer, the queue lives as
// long as the page.
export function durable(courier: string, onFault: (error: unknown) => void): Storage {
  const opened = Promise.race([open(`courier/${courier}`), late(OPENING)])
    .then((database): Storage => new Indexed(database))
    .catch((error: unknown) => {
      onFault(error);
      return new InMemory();
    });
  return {
    all: async () => (await opened).all(),
    put: async (entry) => (await opened).put(entry),
    delete: async (key) => (await opened).delete(key),
    clear: async () => (await opened).clear(),
  };
}

function late(after: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('the database does not open')), after));
}

export class InMemory implements Storage {
  readonly entries = new Map<string, Entry>();

  async all(): Promise<Entry[]> {
    return [...this.entries.values()];
  }

  async put(entry: Entry): Promise<void> {
    this.entries.set(entry.key, structuredClone(entry));
  }

  async delete(key: string): Promise<void> {
    this.entries.delete(key);
  }

  async clear(): Promise<void> {
    this.entries.clear();
  }
}

class Indexed implements Storage {
  constructor(private readonly database: IDBDatabase) {}

  all(): Promise<Entry[]> {
    return done(this.database.transaction(STORE, 'readonly').objectStore(STORE).getAll() as IDBRequest<Entry[]>);
  }

  async put(entry: Entry): Promise<void> {
    await committed(this.write((store) => store.put(entry)));
  }

  async delete(key: string): Promise<void> {
    await committed(this.write((store) => store.delete(key)));
  }

  async clear(): Promise<void> {
    await committed(this.write((store) => store.clear()));
  }

  private write(change: (store: IDBObjectStore) => void): IDBTransaction {
    const transaction = this.database.transaction(STORE, 'readwrite');
    change(transaction.objectStore(STORE));
    return transaction;
  }
}

// committed waits for the transaction, since a phone that is full says so
// only then.
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
