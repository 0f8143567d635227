import type { Presence } from '@desk/model/entities'
import { askPermission } from '@desk/notify/desktop'
import { call } from './api'
import { useActing } from './acting'

/** What an agent does to their own presence. */
export function usePresence() {
  const { act } = useActing()
  return {
    async set(presence: Extract<Presence, 'available' | 'away'>, reason = ''): Promise<boolean> {
      if (presence === 'available') void askPermission()
      const body = { presence, reason }
      return act('presence', () => call('PUT', '/agents/me/presence', { body }))
    },
    /** No new offer from now on; away when the present work has ended. */
    async leaveAfter(reason: string): Promise<boolean> {
      return act('presence', () => call('PUT', '/agents/me/away-after-work', { body: { reason } }))
    },
    async stay(): Promise<boolean> {
      return act('presence', () => call('DELETE', '/agents/me/away-after-work'))
    },
    async signOut(open_work: 'requeue' | 'keep'): Promise<boolean> {
      return act('signOut', () => call('POST', '/agents/me/sign-out', { body: { open_work } }))
    },
  }
}
