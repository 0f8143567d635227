import { useSession } from '@desk/session/session'
import { useI18n } from 'vue-i18n'
import { queueName, skillName } from './names'

const plain = new Set([
  'transfer', 'last_owner', 'named', 'account_owner', 'same_customer', 'only_one', 'longest_idle', 'least_loaded',
  'best_proficiency', 'least_proficiency', 'fewest_today', 'weighted', 'round_robin', 'top_down', 'random',
  'missing_combination', 'all_declined', 'not_signed_in', 'serves', 'presence', 'disconnected',
  'no_room', 'exclusive', 'declined', 'owner', 'leaving', 'condition', 'not_yet',
])

/** A name and its number stay on one line. */
const whole = (text: string): string => text.replaceAll(' ', '\u00a0')

/** Codes of the router in words: why somebody was chosen, what is missing, what stood in the way. */
export function useFacts() {
  const { t, te, locale } = useI18n()
  const session = useSession()

  function fact(code: string): string {
    if (plain.has(code)) return t(`desk.fact.${code}`)
    const [kind = '', first = '', second = ''] = code.split(':')
    if (kind === 'skill') return whole(t('desk.fact.skill', { skill: skillName(session, first, locale.value), level: second }))
    if (kind === 'free') return whole(t('desk.fact.free', { room: first }))
    if (kind === 'missing_queue') {
      return t('desk.fact.missing_queue', { queue: queueName(session, first, locale.value) })
    }
    if (kind === 'missing_skill') {
      return t('desk.fact.missing_skill', { skill: skillName(session, first, locale.value), level: second })
    }
    if (kind === 'too_early') return t('desk.fact.too_early', { seconds: first })
    if (kind === 'kept_for') return t('desk.fact.kept_for', { name: first })
    if (kind === 'kept_free') return t('desk.fact.kept_free', { count: second })
    if (kind === 'channel_full') {
      const channel = te(`desk.channel.${first}`) ? t(`desk.channel.${first}`) : first
      return t('desk.fact.channel_full', { channel })
    }
    return code
  }

  function obstacle(code: string): string {
    const [kind = '', skill = '', level = ''] = code.split(':')
    if (kind !== 'skill') return fact(code)
    return t('desk.fact.lacks', { skill: skillName(session, skill, locale.value), level })
  }

  const facts = (codes: readonly string[], most = 3): string =>
    codes.slice(0, most).map(fact).join(t('desk.between'))

  return { fact, facts, obstacle }
}
