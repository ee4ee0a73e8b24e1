// Online is whether the phone believes to have a network: tells one that is
// out of reach from a server that is.
class Online {
  now = $state(navigator.onLine);

  constructor() {
    addEventListener('online', () => (this.now = true));
    addEventListener('offline', () => (this.now = false));
  }
}

export const online = new Online();
