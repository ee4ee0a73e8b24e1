import { language, locale } from './locale';

const units =
  language === 'ru'
    ? { s: 'с', min: 'мин', h: 'ч', d: 'д', m: 'м', km: 'км', now: 'только что', ago: (t: string) => `${t} назад` }
    : { s: 's', min: 'min', h: 'h', d: 'd', m: 'm', km: 'km', now: 'just now', ago: (t: string) => `${t} ago` };

// What knows a locale's ways is slow to make on a phone: each is made when
// first needed.
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

// "4:09 AM", but "04:09" where the day has 24 hours.
const clockFormat = once(() => {
  const format = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
  const { hour, hour12 } = format.resolvedOptions() as Intl.ResolvedDateTimeFormatOptions & { hour?: string };
  return hour12 || hour === '2-digit' ? format : new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
});
const dayFormat = once(() => {
  const hour = clockFormat().resolvedOptions().hour12 ? 'numeric' : '2-digit';
  return new Intl.DateTimeFormat(locale, { weekday: 'short', hour, minute: '2-digit' });
});

const dateFormat = once(() => new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' }));

type When = string | number;

function ms(when: When): number {
  return typeof when === 'number' ? when : Date.parse(when);
}

// clockTime is the hour and minute, with the weekday when it is not today (as `now` has it).
export function clockTime(when: When, now?: number): string {
  const at = ms(when);
  if (Number.isNaN(at)) return '';
  return (now === undefined || sameDay(at, now) ? clockFormat : dayFormat)().format(at);
}

// dayName is a date as people say it.
export function dayName(when: When): string {
  return dateFormat().format(ms(when));
}

// clockRange says once what both ends share: "4:09 – 4:13 AM".
export function clockRange(from: When, to: When, now?: number): string {
  const [a, b] = [ms(from), ms(to)];
  if (Number.isNaN(a) || Number.isNaN(b) || b <= a) return clockTime(from, now);
  if (!sameDay(a, b)) return `${clockTime(a, now)} – ${clockTime(b, now)}`;
  return (now === undefined || sameDay(a, now) ? clockFormat : dayFormat)().formatRange(a, b);
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

// span is a length of time in the largest units that matter.
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} ${units.s}`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} ${units.min}`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} ${units.d}`;
  const rest = minutes % 60;
  return rest ? `${hours} ${units.h} ${rest} ${units.min}` : `${hours} ${units.h}`;
}

// countdown is minutes and seconds for what ends soon: "4:05", "0:00" once past.
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  if (s >= 3600) return span(s);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export function ago(seconds: number): string {
  return seconds < 5 ? units.now : units.ago(span(seconds));
}

export function distance(metres: number): string {
  if (metres < 950) return `${Math.round(metres / 10) * 10} ${units.m}`;
  const km = metres / 1000;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: km < 10 ? 1 : 0 }).format(km)} ${units.km}`;
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

// money is in the currency's smallest unit, however many of those it has.
export function money({ amount, currency }: { amount: number; currency: string }): string {
  try {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${amount} ${currency}`; // letters that no currency has
  }
}

// placeName of a place without an address is where it is.
export function placeName({ address, point }: { address?: string; point: { lat: number; lng: number } }): string {
  return address || `${point.lat.toFixed(5)}, ${point.lng.toFixed(5)}`;
}

// shortId is what people say of an order that has no reference.
export function shortId(id: string): string {
  return `#${id.slice(-6)}`;
}

export function secondsUntil(when: When, now: number): number {
  return (ms(when) - now) / 1000;
}
