// One build for each page, so that the customer's carries nothing of the others'.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'vite';

const pages = ['admin', 'courier', 'track'];
const built = {};

for (const page of pages) {
  const first = page === pages[0];
  const { output } = await build({
    logLevel: 'warn',
    build: {
      emptyOutDir: first,
      copyPublicDir: first,
      // The dispatcher's page uses every dependency there is.
      license: first && { fileName: 'licenses.md' },
      rolldownOptions: { input: `${page}.html` },
    },
  });
  built[page] = output;
}

await fetchAhead('dist/track.html', built.track);
await keepOffline('dist/courier-sw.js', '/courier', built.courier);

// fetchAhead lets the page fetch at once what it would find one after another:
// first what asks, then its entry, then the app that comes after the text.
async function fetchAhead(file, output) {
  const part = (name) => output.find((other) => other.type === 'chunk' && other.name === name);
  const [ask, app] = [part('ask'), part('main')];
  const first = `<script type="module" async fetchpriority="high" crossorigin src="/${ask.fileName}"></script>`;
  const later = [
    `<link rel="modulepreload" crossorigin href="/${app.fileName}">`,
    ...[...app.viteMetadata.importedCss].map((name) => `<link rel="stylesheet" crossorigin href="/${name}">`),
  ];
  const page = await readFile(file, 'utf8');
  const lines = (links) => links.map((link) => `    ${link}\n`).join('');
  const ahead = page.replace(/ *<link rel="modulepreload"[^>]*>\n/, '').replace(/(?= *<script type="module")/, lines([first]));
  await writeFile(file, ahead.replace('  </head>', `${lines(later)}  </head>`));
}

// keepOffline tells a service worker what its page's shell is: what the entry
// needs to run, and what the phone shows beside it. The map comes when asked for.
async function keepOffline(file, page, output) {
  const byName = new Map(output.map((part) => [part.fileName, part]));
  const entry = output.find((part) => part.isEntry);
  const needed = new Set();
  const add = (name) => {
    if (needed.has(name)) return;
    needed.add(name);
    const part = byName.get(name);
    for (const other of [...(part?.imports ?? []), ...(part?.viteMetadata?.importedCss ?? [])]) add(other);
  };
  add(entry.fileName);
  const beside = ['/courier.webmanifest', '/icon.svg', '/icon-192.png', '/icon-512.png', '/icon-maskable-192.png', '/icon-maskable-512.png'];
  const shell = [page, ...[...needed].map((name) => `/${name}`).sort(), ...beside];
  const worker = await readFile(file, 'utf8');
  const hash = createHash('sha256').update(worker);
  for (const path of shell) hash.update(await readFile(`dist${path === page ? `${page}.html` : path}`));
  const version = hash.digest('hex').slice(0, 12);
  const list = shell.map((path) => `'${path}'`).join(', ');
  await writeFile(file, worker.replace(`'__SHELL__'`, list).replace('__VERSION__', version));
}
