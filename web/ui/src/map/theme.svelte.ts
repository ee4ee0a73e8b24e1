import type { Theme } from './palette';

// What the system says, for what cannot be coloured by a style sheet.
class SystemTheme {
  current = $state<Theme>('light');

  constructor() {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const take = () => (this.current = dark.matches ? 'dark' : 'light');
    take();
    dark.addEventListener('change', take);
  }
}

export const theme = new SystemTheme();
