import { bodyName, useConfig } from '@desk/admin/config'
import { useI18n } from 'vue-i18n'
import { clockOf, type Move } from './plan'

/** What objects of the configuration are called before the reader, and moves in a sentence. */
export function useWording() {
  const { t, locale } = useI18n()
  const config = useConfig()
  const nameOf = (kind: 'queue' | 'team' | 'skill', key: string): string =>
    bodyName(locale.value, config.find(kind, key)?.body ?? {}) || key || t('desk.trial.noTeam')

  function sentence(move: Move): string {
    const named = {
      team: nameOf('team', move.team), name: move.agent_name, skill: move.skill ? nameOf('skill', move.skill) : '', level: move.level,
      queue: move.queue ? nameOf('queue', move.queue) : '', seconds: move.after_s,
    }
    return t(`desk.plan.moves.sentence.${move.kind}`, named)
  }

  /** What stands under the sentence: like whom, in which shift, for what. */
  function detail(move: Move): string {
    const shift = move.spans.map(([from, to]) => t('desk.plan.moves.shift', { from: clockOf(from), to: clockOf(Math.min(to, 86_400)) })).join(t('desk.between'))
    return t(`desk.plan.moves.detail.${move.kind}`, { name: move.agent_name, shift, queue: move.queue ? nameOf('queue', move.queue) : '' })
  }
  return { nameOf, sentence, detail }
}
