import { createApp } from 'vue';
import App from './App.vue';
import { open } from './state';
import { install } from './worker';
import '../../console/src/styles/tokens.css';
import './field.css';

createApp(App).mount('#app');
void open();
void install();
