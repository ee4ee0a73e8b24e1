import { mount } from 'svelte';
import '../design/base.css';
import { language } from '../messages/locale';
import App from './App.svelte';
import './install.svelte'; // hears the browser's offer to install, which comes early
import { t } from './texts';

document.documentElement.lang = language;
document.title = t.title;
mount(App, { target: document.body });
