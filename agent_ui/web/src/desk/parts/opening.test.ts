import { createTranslations } from '@desk/i18n'
import { expect, test } from 'vitest'
import { openingText, there, type Opening } from './opening'

const closed: Opening = {
  open: false, why: 'weekly', day: '', day_en: '', opens: '2026-11-27T00:00:00Z', time_zone: 'Asia/Tokyo',
}
const holiday: Partial<Opening> = { why: 'holiday', day: '勤労感謝の日', day_en: 'Labor Thanksgiving Day' }

test('a moment is said as the clock there shows it', () => {
  expect(there('2026-11-27T00:00:00Z', 'Asia/Tokyo', 'ja')).toBe('11月27日（金） 9:00')
  expect(there('2026-11-27T00:00:00Z', 'America/New_York', 'en')).toBe('Thu 26 Nov, 19:00')
  expect(there('2026-11-26T15:05:00Z', 'Asia/Tokyo', 'en')).toBe('Fri 27 Nov, 0:05')
  expect(there('2026-11-27T00:00:00Z', 'Mars/Base', 'en')).toMatch(/ Nov, \d+:00$/)
  expect(there('2027-01-01T00:00:00Z', 'UTC', 'ja', false)).toBe('1月1日（金）')
})

test.each([
  ['ja', { open: true, why: null }, 'いま受け付けています'],
  ['ja', { why: 'by_hand', opens: null }, '受付を停止しています'],
  ['ja', {}, 'いま営業時間外です。次の受付は 11月27日（金） 9:00 からです。'],
  ['ja', holiday, 'いま営業時間外です（勤労感謝の日）。次の受付は 11月27日（金） 9:00 からです。'],
  ['en', holiday, 'Closed now (Labor Thanksgiving Day). Opens on Fri 27 Nov, 9:00.'],
  ['en', { opens: null }, 'Closed now. Does not open within a year.'],
] as const)('%s: %j', async (locale, change, said) => {
  const { t } = (await createTranslations(locale)).global
  const words = (key: string, values: Record<string, unknown> = {}): string => t(key as never, values)
  expect(openingText({ ...closed, ...change } as Opening, words, locale)).toBe(said)
})
