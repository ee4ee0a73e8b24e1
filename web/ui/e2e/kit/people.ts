import { randomUUID } from 'node:crypto';
import type { Courier, Order, Point, TrackingLink } from '../../src/protocol/types';
import { Phone } from './phone';
import { token } from './node';

// The market is where maps open; places are metres east and north of it.
export const market: Point = { lat: 52.0907, lng: 5.1214 };

export function at(east: number, north = 0): Point {
  const metre = 1 / 111_320;
  const lng = market.lng + (east * metre) / Math.cos((market.lat * Math.PI) / 180);
  return { lat: market.lat + north * metre, lng };
}

// Client speaks HTTP for one person, and wants 2xx.
export class Client {
  constructor(
    readonly url: () => string,
    readonly token: string,
  ) {}

  async call<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${this.url()}/v1${path}`, {
      method,
      headers: {
        ...(this.token && { Authorization: `Bearer ${this.token}` }),
        ...(body && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.call('POST', path, body);
  }
}

export interface Hired extends Courier {
  // A code for the sign-in page, good once.
  code: () => Promise<string>;
  // Signs in, which ends what was signed in before.
  token: () => Promise<string>;
  // What the server knows now.
  now: () => Promise<Courier>;
}

// People are made over the public API, as their companies would.
export class People {
  private readonly staffed = new Map<string, Promise<Client>>();
  private readonly merchants = new Map<string, Promise<Client>>();
  private readonly phones: Phone[] = [];

  constructor(private readonly url: () => string) {}

  staff = (role: 'admin' | 'dispatcher' | 'viewer' = 'admin', subject = 'Robin'): Promise<Client> => {
    const key = `${role}/${subject}`;
    let client = this.staffed.get(key);
    if (!client) {
      client = token(role, subject).then((signed) => new Client(this.url, signed));
      this.staffed.set(key, client);
    }
    return client;
  };

  merchant = (name = 'soups'): Promise<Client> => {
    let client = this.merchants.get(name);
    if (!client) {
      client = this.staff()
        .then((admin) => admin.post<{ key: string }>('/api-keys', { merchant: name }))
        .then(({ key }) => new Client(this.url, key));
      this.merchants.set(name, client);
    }
    return client;
  };

  // order is one from the market to a door 1 km east of it, unless fields say otherwise.
  order = async (fields: object = {}, merchant?: Client): Promise<Order> => {
    const by = merchant ?? (await this.merchant());
    const body = {
      reference: 'A-17',
      pickup: { point: market, address: 'Market 1' },
      dropoff: { point: at(1000), address: 'Elm Row 9' },
      ...fields,
    };
    return by.call<Order>('POST', '/orders', body, { 'Idempotency-Key': randomUUID() });
  };

  // link is the address of an order's page.
  link = async ({ id }: { id: string }, expires?: number): Promise<string> => {
    const admin = await this.staff();
    const made = await admin.post<TrackingLink>(`/orders/${id}/tracking-links`, expires ? { expires_in: expires } : {});
    return `/t#${made.secret}`;
  };

  courier = async (fields: object = {}): Promise<Hired> => {
    const admin = await this.staff();
    const made = await admin.post<Courier>('/couriers', { name: 'Ada Lovelace', vehicle: 'bicycle', capacity: 3, ...fields });
    const code = async () => (await admin.post<{ code: string }>(`/couriers/${made.id}/sign-in-code`)).code;
    const signIn = async () => {
      const nobody = new Client(this.url, '');
      return (await nobody.post<{ token: string }>('/sign-in', { code: await code() })).token;
    };
    return { ...made, code, token: signIn, now: () => admin.get<Courier>(`/couriers/${made.id}`) };
  };

  // courierPhone is one that rides by the test's word: on duty, and where it is
  // said to be.
  courierPhone = async (who?: Hired, where: Point = at(200)): Promise<Phone> => {
    const courier = who ?? (await this.courier());
    const phone = await Phone.open(this.url(), await courier.token());
    this.phones.push(phone);
    await phone.duty('available');
    await phone.at(where);
    return phone;
  };

  leave(): void {
    for (const phone of this.phones) phone.close();
  }
}
