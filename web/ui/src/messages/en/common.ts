// Every English text is in this folder, one file a page: a page carries only
// its own.
export const common = {
  connecting: 'Connecting…',
  offline: 'No connection',
  retryIn: (s: number) => `trying again in ${s} s`,
  retryNow: 'Try now',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  vehicles: { foot: 'on foot', bicycle: 'bicycle', scooter: 'scooter', car: 'car', van: 'van' },
  failReasons: {
    closed: 'The place is closed',
    not_ready: 'The order is not ready',
    no_answer: 'Nobody answers',
    wrong_address: 'The address is wrong',
    refused: 'The customer refused it',
    damaged: 'The goods are damaged',
    courier_problem: 'The courier cannot go on (vehicle, accident, illness)',
    other: 'Something else',
  },
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
};
