const KEY = 'courier.account';

export interface Account {
  token: string;
  // A demo courier is moved by the simulation: this page must not send fixes.
  demo: boolean;
}

// arrival reads what the address carries and takes it out of the address bar.
export function arrival(): { account?: Account; code?: string } {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  const token = hash.get('token');
  if (token) {
    const account = { token, demo: hash.get('demo') === '1' };
    save(account);
    return { account };
  }
  const code = hash.get('code') ?? undefined;
  return code ? { code } : { account: saved() };
}

export function save(account: Account): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(account));
  } catch {
    // Storage is blocked: the session lasts as long as the page.
  }
}

export function forget(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept then.
  }
}

function saved(): Account | undefined {
  try {
    const text = localStorage.getItem(KEY);
    return text ? (JSON.parse(text) as Account) : undefined;
  } catch {
    return undefined;
  }
}
