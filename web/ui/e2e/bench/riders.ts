import type { Courier, Point } from '../../src/protocol/types';
import { at, type Client, type People } from '../kit/people';
import { Phone } from '../kit/phone';

const PACE = 5; // m/s
const EVERY = 4_000; // ms between one rider's fixes
const ACROSS = 3_000; // metres of the square they ride in
const HANDS = 48; // requests on their way at once

// Riders are couriers on duty who all ride all the time, each to and fro on a
// street of its own, and say where they are every four seconds.
export class Riders {
  private readonly phones: Phone[] = [];
  private timer?: ReturnType<typeof setInterval>;

  constructor(
    private readonly people: People,
    private readonly url: string,
  ) {}

  async hire(count: number): Promise<void> {
    const admin = await this.people.staff();
    let next = 0;
    const hand = async () => {
      while (next < count) {
        const number = next++;
        this.phones[number] = await this.sign(admin, number);
      }
    };
    await Promise.all(Array.from({ length: HANDS }, hand));
  }

  private async sign(admin: Client, number: number): Promise<Phone> {
    const { id } = await admin.post<Courier>('/couriers', { name: `Rider ${number}`, vehicle: 'bicycle', capacity: 3 });
    const { code } = await admin.post<{ code: string }>(`/couriers/${id}/sign-in-code`);
    const { token } = await admin.post<{ token: string }>('/sign-in', { code });
    const phone = await Phone.open(this.url, token);
    await phone.duty('available');
    await phone.at(this.place(number, 0));
    return phone;
  }

  // ride lets all of them say where they are in turn, evenly over time.
  ride(): void {
    const began = performance.now();
    const each = EVERY / this.phones.length;
    let said = 0;
    this.timer = setInterval(() => {
      for (const due = (performance.now() - began) / each; said < due; said++) {
        const number = said % this.phones.length;
        const phone = this.phones[number]!;
        const time = new Date(phone.now()).toISOString();
        phone.tell({ type: 'fixes', fixes: [{ time, ...this.place(number, performance.now() - began), accuracy: 5, speed: PACE }] });
      }
    }, 20);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const phone of this.phones) phone?.close();
  }

  // place is where a rider is after so many ms: on a grid of streets, half of
  // them along it and half across.
  private place(number: number, ms: number): Point {
    const spread = (salt: number) => (((number + 1) * salt) % 1) * ACROSS - ACROSS / 2; // evenly, and the same in every run
    const [start, street] = [spread(0.6180339887), spread(0.7548776662)];
    const way = (start + ACROSS / 2 + (ms / 1000) * PACE) % (2 * ACROSS);
    const along = (way < ACROSS ? way : 2 * ACROSS - way) - ACROSS / 2;
    return number % 2 ? at(along, street) : at(street, along);
  }
}
