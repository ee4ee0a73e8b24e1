export type View = 'route' | 'day' | 'check' | 'background';

// Pages are the views of the app. The phone's own "back" leads to the route.
export class Pages {
  view = $state<View>('route');

  constructor() {
    // A reload begins with the route.
    history.replaceState(null, '');
  }

  open = (view: View): void => {
    if (view === this.view) return;
    if (view === 'route') return history.back();
    if (this.view === 'route') history.pushState({ view }, '');
    else history.replaceState({ view }, '');
    this.view = view;
  };

  heed(): () => void {
    const popped = (event: PopStateEvent) => (this.view = (event.state as { view?: View } | null)?.view ?? 'route');
    addEventListener('popstate', popped);
    return () => removeEventListener('popstate', popped);
  }
}
