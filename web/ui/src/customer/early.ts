import { Api } from '../protocol/http';
import type { View } from '../protocol/types';
import { secret, sent } from './ask';

// Early is what was asked before the app was there.
export interface Early {
  answer?: Promise<View>;
  view?: View; // once it has come
}

export const early: Early = {};

if (sent) {
  early.answer = new Api(() => secret).get<View>('/track', undefined, sent);
  early.answer.then((view) => (early.view = view), () => {});
}
