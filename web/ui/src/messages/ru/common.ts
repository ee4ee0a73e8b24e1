import type * as en from '../en/common';

export const common: typeof en.common = {
  connecting: 'Соединяемся…',
  offline: 'Нет связи',
  retryIn: (s) => `повтор через ${s} с`,
  retryNow: 'Повторить сейчас',
  close: 'Закрыть',
  copy: 'Скопировать',
  copied: 'Скопировано',
  vehicles: { foot: 'пешком', bicycle: 'велосипед', scooter: 'скутер', car: 'машина', van: 'фургон' },
  failReasons: {
    closed: 'Закрыто',
    not_ready: 'Заказ не готов',
    no_answer: 'Никто не отвечает',
    wrong_address: 'Неверный адрес',
    refused: 'Получатель отказался',
    damaged: 'Товар повреждён',
    courier_problem: 'Курьер не может продолжать (транспорт, авария, болезнь)',
    other: 'Другое',
  },
  zoomIn: 'Приблизить',
  zoomOut: 'Отдалить',
};
