// One build for each page, so that the customer's carries nothing of the others'.
import { build } from 'vite';

const pages = ['admin', 'courier', 'track'];

for (const page of pages) {
  const first = page === pages[0];
  await build({
    logLevel: 'warn',
    build: {
      emptyOutDir: first,
      copyPublicDir: first,
      // The dispatcher's page uses every dependency there is.
      license: first && { fileName: 'licenses.md' },
      rolldownOptions: { input: `${page}.html` },
    },
  });
}
