import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // The pages run under script-src 'self': nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
        codeSplitting: {
          groups: [
            // Alone in its file, the library has one name for all pages.
            { name: 'maplibre', test: /node_modules\/maplibre-gl\// },
            // Small, it is there first: see ask.ts.
            { name: 'ask', test: /src\/customer\/ask\.ts$/ },
          ],
        },
      },
    },
  },
});
