const KEY = 'courier.account';

export interface Account {
  token: string;
  courier: string; // id
  // A demo courier is moved by the simulation: this page must not send fixes.
  demo: boolean;
}

// arrival reads what the address carries and takes it out of the address bar.
export function arrival(): { account?: Account; code?: string } {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  const token = hash.get('token');
  if (token) {
    const account = { token, courier: courierOf(token), demo: hash.get('demo') === '1' };
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
    const account = text ? (JSON.parse(text) as Account) : undefined;
    return account && { ...account, courier: account.courier || courierOf(account.token) };
  } catch {
    return undefined;
  }
}

// courierOf reads whose a token is (a JSON Web Token's subject). The server
// judges it; here it only tells one courier's things on the phone from another's.
export function courierOf(token: string): string {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { sub } = JSON.parse(atob(body)) as { sub?: unknown };
    return typeof sub === 'string' ? sub : '';
  } catch {
    return '';
  }
}
