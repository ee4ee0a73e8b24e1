import { fleetmap as en } from '../messages/en';
import { pick } from '../messages/locale';
import { fleetmap as ru } from '../messages/ru';

export const m = pick({ en, ru });
