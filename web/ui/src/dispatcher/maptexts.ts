import { fleetmap as en } from '../messages/en/fleetmap';
import { pick } from '../messages/locale';
import { fleetmap as ru } from '../messages/ru/fleetmap';

export const m = pick({ en, ru });
