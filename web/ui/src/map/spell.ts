import * as glyphs from './glyphs';

// spell lays a short text out as glyphs beside each other, around the middle.
export function spell(text: string): { glyph: number; dx: number }[] {
  const known = [...text].filter((sign) => glyphs.signs.has(sign));
  let dx = -known.reduce((sum, sign) => sum + glyphs.advance(sign), 0) / 2;
  return known.map((sign) => {
    const width = glyphs.advance(sign);
    const at = dx + width / 2;
    dx += width;
    return { glyph: glyphs.signs.get(sign)!, dx: at };
  });
}

export function short(count: number): string {
  return count < 1_000 ? String(count) : `${(count / 1_000).toFixed(count < 10_000 ? 1 : 0)}k`;
}
