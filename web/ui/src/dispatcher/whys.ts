import { language } from '../messages/locale';

type Rule = [RegExp, string | ((...groups: string[]) => string)];

// What the server says of decisions and refusals, in Russian; in English it
// is said well already. What no rule knows stays as it came.
const russian: Rule[] = [
  [/^cheapest of (\d+) candidates?$/, (n) => `дешевле всех из ${n}`],
  [/^cheapest for all orders together; (\d+) of (\d+) candidates? cost less but are given to others$/, (a, b) => `выгоднее для всех заказов вместе: ${a} из ${b} дешевле, но отданы другим`],
  [/^the only candidate$/, 'других кандидатов нет'],
  [/^costs (\d+) s more$/, (s) => `дороже на ${s} с`],
  [/^the order is pinned to another courier$/, 'заказ закреплён за другим'],
  [/^declined lately$/, 'недавно отказался'],
  [/^busy with an open offer$/, 'думает над другим предложением'],
  [/^wrong vehicle$/, 'не тот транспорт'],
  [/^needs skill (.+)$/, (skill) => `не умеет: ${skill}`],
  [/^no room for (\d+) more units?$/, (n) => `нет места ещё на ${n}`],
  [/^its plan is full$/, 'план заполнен'],
  [/^busy with other stops for too long$/, 'слишком долго занят другими'],
  [/^shift ends before the pickup$/, 'смена кончится раньше'],
  [/^other orders would come too late$/, 'опоздают другие заказы'],
  [/^there is no way for it$/, 'туда нет пути'],
  [/^no courier on duty within ([\d.]+) km$/, (km) => `на смене нет никого в пределах ${km} км`],
  [/^all (\d+) couriers who can take it are given to other orders$/, (n) => `все, кто может (${n}), отданы другим заказам`],
  [/^none of the (\d+) couriers near can take it: .*$/, (n) => `никто из ближайших (${n}) взять не может`],
  [/^all (\d+) couriers near .*$/, (n) => `никто из ближайших (${n}) взять не может`],
  [/^(.+) is not available$/, (name) => `${name}: не на смене`],
  [/^(.+) has not been heard of lately$/, (name) => `${name}: давно нет вестей`],
  [/^(.+) has no room for (\d+) more units?$/, (name, n) => `${name}: нет места ещё на ${n}`],
  [/^the courier has no room for it$/, 'у курьера нет места'],
  [/^the order is with that courier already$/, 'заказ уже у этого курьера'],
  [/^not possible at the moment: come again later$/, 'сейчас не получается, повторите позже'],
  [/^this is not for your role$/, 'это не для вашей роли'],
  [/^too many requests: come again later$/, 'слишком часто, повторите позже'],
];

export function why(said: string | undefined, into: string = language): string {
  if (!said || into !== 'ru') return said ?? '';
  for (const [pattern, text] of russian) {
    const found = pattern.exec(said);
    if (found) return typeof text === 'string' ? text : text(...found.slice(1));
  }
  return said;
}
