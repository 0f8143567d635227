import { call, onSessionEnd, Problem, setCsrf } from '@desk/acts/api'
import type { Hub, HubAccount, HubQueue, Me, Role } from '@desk/model/session'
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { useSettings } from './settings'

interface Session {
  csrf: string
  me: Me
  hub: Hub
  preferences?: Record<string, unknown>
}

/** Who is signed in, and what the hub offers. */
export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  const hub = shallowRef<Hub | null>(null)
  const ended = shallowRef(false)
  /** True once a desk has been open in this page: it holds what belongs to one person. */
  const used = shallowRef(false)

  function forget(): void {
    useSettings().forget()
    ended.value = me.value !== null
    me.value = null
  }
  onSessionEnd(forget)

  /** Reads the session of this browser; false if there is none. */
  async function load(): Promise<boolean> {
    try {
      const session = await call<Session>('GET', '/session')
      setCsrf(session.csrf)
      useSettings().take(session.preferences)
      hub.value = session.hub
      me.value = session.me
      ended.value = false
      return true
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return false
      throw error
    }
  }

  async function signIn(name: string, password: string): Promise<void> {
    const { csrf } = await call<{ csrf: string }>('POST', '/session', { body: { name, password } })
    setCsrf(csrf)
    await load()
  }

  async function signOut(): Promise<void> {
    await call('DELETE', '/session').catch(() => undefined)
    useSettings().forget()
    me.value = null
    ended.value = false
  }

  const has = (role: Role): boolean => me.value?.roles.includes(role) ?? false
  /** Offers come to agents only: who has not this role never owns a conversation. */
  const receives = computed(() => has('agent'))
  const serves = computed(() => has('agent') || has('supervisor'))
  const supervises = computed(() => has('supervisor'))
  const administers = computed(() => has('administrator'))
  /** Queues: changing, trying, taking back. */
  const tunes = computed(() => supervises.value || administers.value)
  const queue = (key: string): HubQueue | undefined =>
    hub.value?.queues.find((each) => each.key === key)
  const account = (id: string): HubAccount | undefined =>
    hub.value?.accounts.find((each) => each.id === id || each.key === id)

  return {
    me, hub, ended, used, load, signIn, signOut, forget, has, receives, serves, supervises, administers, tunes, queue, account,
  }
})
