interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

// Install puts the app on the phone's home screen, where the browser lets a
// page ask; elsewhere the person does it, and is told how.
class Install {
  done = $state(false);
  readonly apple = /iphone|ipad/i.test(navigator.userAgent);
  private prompt?: InstallPrompt;

  constructor() {
    this.done = matchMedia('(display-mode: standalone)').matches;
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault(); // asked for in the menu, not over the route
      this.prompt = event as InstallPrompt;
    });
    addEventListener('appinstalled', () => (this.done = true));
  }

  // ask returns false where the browser has nothing to ask.
  async ask(): Promise<boolean> {
    const { prompt } = this;
    if (!prompt) return false;
    this.prompt = undefined; // works once
    await prompt.prompt();
    return true;
  }
}

export const install = new Install();
