import { useSession } from '@desk/session/session'
import {
  createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw, type Router, type RouterHistory,
  type RouteRecordRaw,
} from 'vue-router'

const admin = (path: string, name: string, load: RouteRecordRaw['component']): RouteRecordRaw =>
  ({ path, name, component: load, meta: { role: 'administrator' } }) as RouteRecordRaw

const pages: RouteRecordRaw[] = [
  { path: '', name: 'home', redirect: () => home() },
  {
    path: 'inbox/:tab(open|waiting|wrap-up|unassigned)/:conversation?',
    name: 'inbox',
    component: () => import('./InboxPage.vue'),
    meta: { role: 'agent' },
  },
  { path: 'inbox', redirect: '/inbox/open' },
  { path: 'phone/:tab(recent|missed|voicemail|callbacks)', name: 'phone', component: () => import('./phone/PhonePage.vue'), meta: { role: 'agent' } },
  { path: 'phone', redirect: '/phone/recent' },
  { path: 'board', name: 'board', component: () => import('./board/BoardPage.vue'), meta: { role: 'supervisor' } },
  { path: 'calls', name: 'calls', component: () => import('./call/LiveCallsPage.vue'), meta: { role: 'supervisor' } },
  { path: 'plan/:tab(staffing|moves)', name: 'plan', component: () => import('./plan/PlanPage.vue'), meta: { role: 'tuner' } },
  { path: 'plan', redirect: '/plan/staffing' },
  admin('admin/deadletters', 'deadletters', () => import('./admin/DeadLettersPage.vue')),
  { path: 'admin/versions', name: 'versions', component: () => import('./admin/VersionsPage.vue'), meta: { role: 'tuner' } },
  admin('admin/accounts', 'accounts', () => import('./admin/AccountsPage.vue')),
  admin('admin/rules/:key?', 'rules', () => import('./admin/RulesPage.vue')),
  { path: 'admin/:kind(queues)/:key?', name: 'queues', component: () => import('./admin/ObjectsPage.vue'), meta: { role: 'tuner' } },
  admin('admin/:kind(hours|agents|skills|teams|flows)/:key?', 'objects', () => import('./admin/ObjectsPage.vue')),
  { path: ':path(.*)*', name: 'missing', component: () => import('./shell/MissingPage.vue') },
]

/** Where somebody begins: an agent at the inbox, a supervisor at the board, else administration. */
export function home(): string {
  const session = useSession()
  if (session.receives) return '/inbox/open'
  if (session.supervises) return '/board'
  return session.administers ? '/admin/queues' : '/inbox/open'
}

/** A supervisor who is no agent reads conversations from the board; nothing is ever their own. */
function unowned({ name, params }: RouteLocationNormalized): RouteLocationRaw | null {
  if (name !== 'inbox' || useSession().receives || params['tab'] === 'unassigned') return null
  const conversation = params['conversation']
  return conversation ? { name: 'inbox', params: { tab: 'unassigned', conversation } } : { path: home() }
}

function allowed(role: unknown): boolean {
  const session = useSession()
  if (role === 'agent') return session.serves
  if (role === 'supervisor') return session.supervises
  if (role === 'tuner') return session.tunes
  return role === 'administrator' ? session.administers : true
}

async function signedIn(): Promise<boolean> {
  const session = useSession()
  if (session.me) return true
  try {
    return await session.load()
  } catch {
    return false
  }
}

export function createDeskRouter(history: RouterHistory = createWebHistory()): Router {
  const router = createRouter({
    history,
    routes: [
      { path: '/login', name: 'login', component: () => import('./session/LoginPage.vue') },
      { path: '/', component: () => import('./shell/DeskShell.vue'), children: pages },
    ],
  })
  router.beforeEach(async (to) => {
    if (to.name === 'login') return true
    if (!(await signedIn())) {
      const back = to.fullPath === '/' ? {} : { to: to.fullPath }
      return { name: 'login', query: back }
    }
    return allowed(to.meta['role']) ? (unowned(to) ?? true) : { path: home() }
  })
  return router
}
