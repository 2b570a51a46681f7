import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { Problem, whenProofWanted, whenSignedOut } from './api';
import App from './App.vue';
import { router } from './router';
import { useSession } from './session';
import { askForProof } from './ui/proof';
import { holdUnsaved } from './ui/unsaved';
import './styles/tokens.css';
import './ui/elements';
import './styles/base.css';

/** Refusals are answers; only a server that is not there is asked again. */
const retry = (count: number, error: Error): boolean =>
  count < 2 && error instanceof Problem && (error.status === 0 || error.status === 503);

const app = createApp(App);
app.use(createPinia());
app.use(VueQueryPlugin, {
  queryClient: new QueryClient({ defaultOptions: { queries: { retry, staleTime: 5_000, refetchOnWindowFocus: false } } }),
});
whenProofWanted(askForProof);
whenSignedOut(() => {
  const session = useSession();
  if (!session.me) return;
  holdUnsaved(session.me.account);
  session.forget();
  void router.push({ name: 'login', query: { to: router.currentRoute.value.fullPath } });
});
app.use(router);
app.mount('#app');
