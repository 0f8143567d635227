import en from '@catalogue/en.json'
import ja from '@catalogue/ja.json'
import { createI18n } from 'vue-i18n'
import { describe, expect, test } from 'vitest'
import { faultText } from './faults'

interface Translated {
  global: { t: (key: string, values?: Record<string, unknown>) => string }
}
const fault = (type: string, facts: Record<string, unknown> = {}) => ({ place: 'x', message: 'Raw sentence', type, facts })

describe.each([
  ['ja', ja, ['入力してください。', '5 以上にしてください。', '120 文字以内にしてください。', 'スキル「tea」はありません。']],
  ['en', en, ['Fill this in.', 'Must be 5 or more.', 'At most 120 characters.', 'There is no skill “tea”.']],
] as const)('%s', (locale, messages, [empty, least, long, none]) => {
  const t = (createI18n({ legacy: false, locale, messages: { [locale]: messages } as never }) as unknown as Translated).global.t

  test('the usual kinds have words, with their limits', () => {
    expect(faultText(fault('missing'), t)).toBe(empty)
    expect(faultText(fault('string_too_short', { min_length: 1 }), t)).toBe(empty)
    expect(faultText(fault('greater_than_equal', { ge: 5 }), t)).toBe(least)
    expect(faultText(fault('string_too_long', { max_length: 120 }), t)).toBe(long)
    expect(faultText(fault('no_such', { kind: 'skill', key: 'tea' }), t)).toBe(none)
  })

  test('no word is missing and none leaves a gap', () => {
    const limits = { min_length: 2, max_length: 3, ge: 1, le: 9, gt: 1, lt: 9, kind: 'queue', key: 'k', count: 2 }
    for (const type of ['too_short', 'string_too_short', 'too_long', 'int_type', 'float_parsing', 'less_than_equal',
      'greater_than', 'less_than', 'extra_forbidden', 'string_pattern_mismatch', 'enum', 'last_administrator', 'has_work']) {
      expect(faultText(fault(type, limits), t)).not.toMatch(/desk\.|[{}]|Raw/)
    }
  })

  test('texts, addresses and secrets have words, with their facts', () => {
    const facts = {
      example: '+81', known: 'queue, skill', newest: 7, line: 3, column: 5, kind: 'queue',
      name: 'TWILIO', folders: '/run/secrets', path: '/run/secrets/x', prefix: 'MADOGUCHI_SECRET_',
    }
    for (const [type, said] of Object.entries({
      phone_number: '+81', web_address: 'https://', no_sender: 'messaging_service_sid', unknown_kind: 'queue, skill',
      unknown_connector: 'queue, skill', version_to_come: '7', toml_syntax_at: '3', toml_end: '', toml_syntax: 'TOML',
      toml_deep: '', toml_tables: '[queue.', toml_table: '', nul_characters: 'NUL', secret_env_unset: 'TWILIO',
      secret_env_name: 'MADOGUCHI_SECRET_', secret_file_outside: '/run/secrets', secret_file_unreadable: '/run/secrets/x',
      secret_keys: 'MADOGUCHI_SECRET_KEYS',
    })) {
      const told = faultText(fault(type, facts), t)
      expect(told).toContain(said)
      expect(told).not.toMatch(/desk\.|[{}]|Raw/)
    }
  })

  test('an unknown kind keeps the sentence of the hub', () => {
    expect(faultText(fault('value_error'), t)).toBe('Raw sentence')
    expect(faultText({ place: 'x', message: 'Raw sentence' }, t)).toBe('Raw sentence')
  })
})
