import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Times are formatted for a place; tests need one that does not move.
process.env['TZ'] = 'UTC';

export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ['browser'] }, // runes that run, not those of a server
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
