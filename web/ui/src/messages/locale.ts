export type Language = 'en' | 'ru';

export const locale: string = globalThis.navigator?.language || 'en';
export const language: Language = locale.toLowerCase().startsWith('ru') ? 'ru' : 'en';

export function pick<T>(texts: { en: T; ru: T }): T {
  return texts[language];
}

let plurals: Intl.PluralRules | undefined;

// plural picks the form for n; Russian needs few and many, English only one and many.
export function plural(n: number, one: string, few: string, many: string): string {
  plurals ??= new Intl.PluralRules(language);
  const form = plurals.select(n);
  return form === 'one' ? one : form === 'few' ? few : many;
}
