import { language } from '../messages/locale';

type Rule = [RegExp, string | ((...groups: string[]) => string)];

// What the server says of decisions and refusals, in Russian; in English it
// is said well already. What no rule knows stays as it came.
const russian: Rule[] = [
  [/^cheapest of (\d+) candidates?$/, (n) => `дешевле всех из ${n}`],
  [/^cheapest for all orders together; (\d+) of (\d+) candidates? cost less but are given to others$/, (a, b) => `выгоднее для всех заказов вместе: ${a} из ${b} дешевле, но отданы другим`],
  [/^the only candidate$/, 'других кандидатов нет'],
  [/^costs (\d+) s more$/, (s) => `дороже на ${s} с`],
  [/^costs the same$/, 'стоит столько же'],
  [/^costs more than waiting for a later round$/, 'дороже, чем подождать'],
  [/^best so far, need not set out yet$/, 'пока лучший, ехать ещё рано'],
  [/^given to order (.+), which saves more$/, (id) => `отдан заказу ${id}: там выгоднее`],
  [/^planned for courier (\S+) after order (.+)$/, (who, id) => `намечен курьеру ${who} после заказа ${id}`],
  [/^(?:to be picked up|ready) in (.+): waiting costs nothing$/, (t) => `готов через ${t.replace('min', 'мин').replace(' s', ' с')}: ждать ничего не стоит`],
  [/^pinned to a courier who is not on duty$/, 'закреплён за тем, кто не на смене'],
  [/^the courier it is pinned to cannot take it: .*$/, 'тот, за кем закреплён, взять не может'],
  [/^the only courier near .*$/, 'единственный, кто рядом, взять не может'],
  [/^the only courier who can take it is given to another order$/, 'единственный, кто может, отдан другому заказу'],
  [/^left for a later round: .*$/, 'оставлен на потом: курьеры заняты другими или понадобятся'],
  [/^leaving it for a later round costs less .*$/, 'подождать дешевле любого найденного плана'],
  [/^kept for courier (\S+), .*$/, (who) => `ждёт курьера ${who}`],
  [/^a courier is kept for orders that are likely to come$/, 'курьер придержан для ожидаемых заказов'],
  [/^its best courier sets out for it in .*$/, 'лучший курьер выедет позже: ждать ничего не стоит'],
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
