import { common as commonEn, courier as courierEn } from '../messages/en';
import { pick } from '../messages/locale';
import { common as commonRu, courier as courierRu } from '../messages/ru';

export const t = pick({ en: courierEn, ru: courierRu });
export const common = pick({ en: commonEn, ru: commonRu });
