import { useI18n } from 'vue-i18n'
import { bodyName, useConfig } from './config'

interface Ring {
  after: number
  relax?: Record<string, number>
  add_groups?: string[]
  priority?: number | null
}

interface Overflow {
  after: number
  to_queue: string
}

const SKILLS = new Set(['requires', 'prefers', 'skills'])

/** A field's value as people say it; what nobody has words for is shown as it is stored. */
export function useDiffWords() {
  const { t, te, locale } = useI18n()
  const config = useConfig()
  const nameOf = (kind: 'queue' | 'team' | 'skill' | 'agent' | 'hours', key: string): string =>
    bodyName(locale.value, config.find(kind, key)?.body ?? {}) || key
  const listed = (parts: readonly string[]): string => (parts.length ? parts.join(t('desk.between')) : '–')
  const level = (skill: string, least: number): string =>
    t('desk.admin.diffWord.level', { skill: nameOf('skill', skill), level: least ? t('desk.admin.step.atLeast', { level: least }) : t('desk.admin.step.notAsked') })

  function ring({ after, relax = {}, add_groups: teams = [], priority = null }: Ring): string {
    const does = Object.entries(relax).map(([skill, least]) => level(skill, least))
    if (teams.length) does.push(t('desk.admin.diffWord.teams', { names: listed(teams.map((key) => nameOf('team', key))) }))
    if (priority !== null) does.push(t('desk.admin.diffWord.priority', { priority }))
    return t('desk.admin.diffWord.step', { seconds: after, does: listed(does) })
  }

  function words(field: string, value: unknown): string {
    if (value === null || value === undefined || value === '') return '–'
    if (Array.isArray(value)) {
      if (field === 'rings') return (value as Ring[]).map(ring).join(t('desk.admin.diffWord.then')) || '–'
      if (field === 'overflow') {
        return (value as Overflow[])
          .map(({ after, to_queue: to }) => t('desk.admin.diffWord.step', { seconds: after, does: nameOf('queue', to) }))
          .join(t('desk.admin.diffWord.then')) || '–'
      }
      if (field === 'teams') return listed((value as string[]).map((key) => nameOf('team', key)))
    }
    if (SKILLS.has(field) && typeof value === 'object') return listed(Object.entries(value as Record<string, number>).map(([skill, least]) => level(skill, least)))
    if (field === 'agent_choice' && te(`desk.admin.choice.${String(value)}`)) return t(`desk.admin.choice.${String(value)}`)
    if (typeof value === 'boolean') return t(value ? 'desk.admin.diffWord.yes' : 'desk.admin.diffWord.no')
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return { words, nameOf }
}
