const KEY = 'dispatch.token';

// arrival takes a token out of the address bar before anything else happens.
export function arrival(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  if (token) save(token);
  return token ?? sessionStorage.getItem(KEY) ?? '';
}

export function save(token: string): void {
  sessionStorage.setItem(KEY, token);
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}
