import type { Presence } from '@desk/model/entities'
import { askPermission } from '@desk/notify/desktop'
import { call } from './api'
import { TEXTS_ONLY, useMicrophone } from '@desk/call/microphone'
import { useActing } from './acting'

/** What an agent does to their own presence. */
export function usePresence() {
  const { act } = useActing()
  const microphone = useMicrophone()
  const put = (presence: Presence, reason: string): Promise<boolean> =>
    act('presence', () => call('PUT', '/agents/me/presence', { body: { presence, reason } }))

  return {
    /** Available for calls only with a microphone that works; false: the person is told why not. */
    async set(presence: Extract<Presence, 'available' | 'away'>, reason = ''): Promise<boolean> {
      if (presence === 'available') {
        void askPermission()
        microphone.telling = !(await microphone.works())
        if (microphone.telling) return false
      }
      return put(presence, reason)
    },
    /** Available without a microphone: chats and texts come, no calls. */
    async textsOnly(): Promise<boolean> {
      microphone.telling = false
      return put('available', TEXTS_ONLY)
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
