import { useActing } from '@desk/acts/acting'
import { call, Problem } from '@desk/acts/api'
import type { Conversation } from '@desk/model/entities'
import { ref, type Ref } from 'vue'
import { useRouter } from 'vue-router'

/** What the header's buttons and the keys do to a conversation. */
export function useConversationActs(conversation: Ref<Conversation | undefined>) {
  const { act, tell } = useActing()
  const router = useRouter()
  /** True while the customer has written what the agent had not seen when ending. */
  const newer = ref(false)

  async function end(anyway = false): Promise<void> {
    const now = conversation.value
    if (!now) return
    const inbound_seq = anyway ? now.inbound_seq : Math.min(now.seen_seq, now.inbound_seq)
    newer.value = false
    try {
      await call('POST', `/conversations/${now.id}/end`, { body: { inbound_seq } })
    } catch (error) {
      if (error instanceof Problem && error.code === 'newer_inbound') newer.value = true
      else tell('end', error)
    }
  }

  async function take(): Promise<void> {
    const now = conversation.value
    if (!now) return
    const done = await act('take', () => call('POST', `/conversations/${now.id}/take`))
    if (!done) return
    await router.push({ name: 'inbox', params: { tab: 'open', conversation: now.id }, hash: '#reply' })
  }

  async function cancelTransfer(): Promise<void> {
    const id = conversation.value?.id
    if (id) await act('transfer', () => call('POST', `/conversations/${id}/transfer/cancel`))
  }

  return { newer, end, take, cancelTransfer }
}
