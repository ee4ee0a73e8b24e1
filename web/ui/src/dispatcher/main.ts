import { mount } from 'svelte';
import '../design/base.css';
import { language } from '../messages/locale';
import App from './App.svelte';
import { t } from './texts';

document.documentElement.lang = language;
document.title = t.title;
mount(App, { target: document.body });
