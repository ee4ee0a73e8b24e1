import { mount } from 'svelte';
import '../design/base.css';
import { language } from '../messages/locale';
import App from './App.svelte';
import { t } from './texts';

document.documentElement.lang = language;
document.title = t.title;
mount(App, { target: document.body });

if ('serviceWorker' in navigator && isSecureContext) {
  navigator.serviceWorker.register('/courier-sw.js', { scope: '/courier' }).catch(() => {
    // The page works without its shell kept; it only starts slower.
  });
}
