import { common as commonEn } from '../messages/en/common';
import { courier as courierEn } from '../messages/en/courier';
import { pick } from '../messages/locale';
import { common as commonRu } from '../messages/ru/common';
import { courier as courierRu } from '../messages/ru/courier';

export const t = pick({ en: courierEn, ru: courierRu });
export const common = pick({ en: commonEn, ru: commonRu });
