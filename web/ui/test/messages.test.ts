import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const src = resolve(import.meta.dirname, '../src');
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|svelte)$/.test(name) && !name.startsWith('messages'))
  .map((name) => readFileSync(resolve(src, name), 'utf8'))
  .join('\n');

// Said by a value of the wire's: t[stop.kind].
const byValue = new Set(['return']);

test.each(readdirSync(resolve(src, 'messages/en')))('every text of %s is said somewhere', async (file) => {
  const module = (await import(`../src/messages/en/${file}`)) as Record<string, Record<string, unknown>>;
  const unused = Object.values(module).flatMap((texts) => Object.keys(texts).filter((name) => !byValue.has(name) && !new RegExp(`\\.${name}\\b`).test(sources)));
  expect(unused).toEqual([]);
});
