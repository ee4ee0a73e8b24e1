import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../src/design/tokens.css', import.meta.url), 'utf8');
const [light, dark] = css.split('@media (prefers-color-scheme: dark)').map(colours) as [Colours, Colours];
type Colours = Record<string, string>;

function colours(block: string): Colours {
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
}

// WCAG 2's contrast of two colours, 1 to 21.
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const grounds = ['bg', 'surface', 'sunken'];
const tones = ['ok', 'info', 'warn', 'bad', 'mute', 'accent'];
const text = [
  ...['ink', 'ink-2', 'ink-3', ...tones].flatMap((name) => grounds.map((ground) => [name, ground])),
  ...tones.flatMap((tone) => [[tone, `${tone}-soft`], ['ink', `${tone}-soft`], ['ink-2', `${tone}-soft`]]),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
] as [string, string][];

test.each([
  ['light', light],
  ['dark', dark],
])('%s: text can be read on every ground, and edges of fields seen', (_, theme) => {
  const weak = (pairs: [string, string][], least: number) =>
    pairs.filter(([a, b]) => contrast(theme[a]!, theme[b]!) < least).map(([a, b]) => `${a} on ${b}: ${contrast(theme[a]!, theme[b]!).toFixed(2)}`);
  expect(weak(text, 4.5)).toEqual([]);
  expect(weak(grounds.map((ground) => ['line-strong', ground]), 3)).toEqual([]);
});

test('both themes name the same colours', () => {
  expect(Object.keys(dark).sort()).toEqual(Object.keys(light).sort());
});

test('DESIGN.md names every token, and each colour as it is', () => {
  const page = readFileSync(new URL('../DESIGN.md', import.meta.url), 'utf8');
  const tokens = new Set([...css.matchAll(/^ +(--[\w-]+):/gm)].map(([, name]) => name!));
  const named = new Set([...page.matchAll(/`(--[\w-]+)`/g)].map(([, name]) => name!));
  expect([...tokens].filter((name) => !named.has(name))).toEqual([]);
  expect([...named].filter((name) => !tokens.has(name))).toEqual([]);
  for (const row of page.matchAll(/^\| (`--.*?) \| (`#.*?) \| (`#.*?) \|/gm)) {
    const [names, ...shades] = row.slice(1).map((cell) => [...cell.matchAll(/`(?:--)?(.*?)`/g)].map(([, text]) => text!)) as [string[], string[], string[]];
    for (const [index, theme] of [light, dark].entries()) expect(shades[index]).toEqual(names.map((name) => theme[name]));
  }
});
