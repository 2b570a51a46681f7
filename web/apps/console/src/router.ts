import { createRouter, createWebHistory } from 'vue-router';
import Shell from './layout/Shell.vue';
import Login from './layout/Login.vue';
import Workbench from './pages/desk/Workbench.vue';
import { useSession } from './session';
import { mayLeave } from './ui/unsaved';

/** One layout, one level of pages: the menu is data, not nesting. */
export const router = createRouter({
  history: createWebHistory('/console/'),
  routes: [
    { path: '/login', name: 'login', component: Login },
    { path: '/setup', name: 'setup', component: () => import('./layout/Setup.vue') },
    { path: '/activate', name: 'activate', component: () => import('./layout/Activate.vue') },
    { path: '/apply', name: 'apply', component: () => import('./layout/Apply.vue') },
    {
      path: '/',
      component: Shell,
      children: [
        { path: '', component: Workbench },
        { path: 'register/:table', component: () => import('./pages/register/Register.vue'), props: true },
        { path: 'conflicts', component: () => import('./pages/register/Conflicts.vue') },
        { path: 'applications', component: () => import('./pages/register/Applications.vue') },
        { path: 'openings', component: () => import('./pages/system/Openings.vue') },
        { path: 'catalogue', component: () => import('./pages/product/Catalogue.vue') },
        { path: 'map', component: () => import('./pages/map/MapPage.vue') },
        { path: 'registration', component: () => import('./pages/analysis/Registration.vue') },
        { path: 'events', component: () => import('./pages/trace/Events.vue') },
        { path: 'device-data', component: () => import('./pages/device/Readings.vue') },
        { path: 'matches', component: () => import('./pages/trace/Matches.vue') },
        { path: 'reporting', component: () => import('./pages/trace/Reporting.vue') },
        { path: 'capture', component: () => import('./pages/trace/Capture.vue') },
        { path: 'codes', component: () => import('./pages/product/CodeCheck.vue') },
        { path: 'trace/scan', component: () => import('./pages/scan/ScanPage.vue') },
        { path: 'epcis', component: () => import('./pages/exchange/EpcisPage.vue') },
        { path: 'review', component: () => import('./pages/desk/Review.vue') },
        { path: 'exports', component: () => import('./pages/desk/Exports.vue') },
        { path: 'chain', component: () => import('./pages/chain/ChainPage.vue') },
        { path: 'ledger', component: () => import('./pages/ledger/Ledger.vue') },
        { path: 'ledger/tamper', component: () => import('./pages/ledger/Tamper.vue') },
        { path: 'ledger/blocks', component: () => import('./pages/ledger/Blocks.vue') },
        { path: 'ledger/proofs', component: () => import('./pages/ledger/Proofs.vue') },
        { path: 'ledger/keys', component: () => import('./pages/ledger/Keys.vue') },
        { path: 'anchors', component: () => import('./pages/ledger/Anchors.vue') },
        { path: 'witnesses', component: () => import('./pages/ledger/Witnesses.vue') },
        { path: 'verify', component: () => import('./pages/ledger/Verify.vue') },
        { path: 'tasks', component: () => import('./pages/desk/Tasks.vue') },
        { path: 'me', component: () => import('./pages/desk/Myself.vue') },
        { path: 'roles', component: () => import('./pages/system/Roles.vue') },
        { path: 'sessions', component: () => import('./pages/system/Sessions.vue') },
        { path: 'alarms', component: () => import('./pages/system/Alarms.vue') },
        { path: 'confirmations', component: () => import('./pages/system/Confirmations.vue') },
        { path: 'keys', component: () => import('./pages/system/Keys.vue') },
        { path: 'change-rules', component: () => import('./pages/system/ChangeRules.vue') },
        { path: 'interface', component: () => import('./pages/system/Interface.vue') },
        { path: 'dictionary', component: () => import('./pages/system/Dictionary.vue') },
        { path: 'libraries', component: () => import('./pages/system/Libraries.vue') },
        { path: 'domains', component: () => import('./pages/system/Domains.vue') },
        { path: 'base-maps', component: () => import('./pages/system/BaseMaps.vue') },
        { path: 'self-check', component: () => import('./pages/system/SelfCheck.vue') },
        { path: 'audit', component: () => import('./pages/desk/Audit.vue') },
        { path: ':rest(.*)*', component: () => import('./pages/desk/Missing.vue') },
      ],
    },
  ],
});

// A session that ended asks nothing: what was typed is kept for whoever logs in again.
router.beforeEach(async (to, from) => to.fullPath === from.fullPath || !useSession().me || (await mayLeave()));

router.beforeEach(async (to) => {
  if (to.name === 'login' || to.name === 'setup' || to.name === 'activate' || to.name === 'apply') return true;
  return (await useSession().resume()) || { name: 'login', query: { to: to.fullPath } };
});
