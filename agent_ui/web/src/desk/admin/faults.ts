import type { Fault } from './config'

type Words = (key: string, values?: Record<string, unknown>) => string

/** The kinds of faults that have words of their own, by the hub's code. */
const words: Readonly<Record<string, string>> = {
  missing: 'missing',
  string_too_short: 'tooShort',
  string_too_long: 'tooLong',
  too_short: 'tooFew',
  too_long: 'tooMany',
  int_type: 'wholeNumber',
  int_parsing: 'wholeNumber',
  int_parsing_size: 'wholeNumber',
  int_from_float: 'wholeNumber',
  float_type: 'number',
  float_parsing: 'number',
  finite_number: 'number',
  greater_than_equal: 'atLeast',
  less_than_equal: 'atMost',
  greater_than: 'above',
  less_than: 'below',
  extra_forbidden: 'unknownField',
  string_pattern_mismatch: 'form',
  enum: 'choice',
  literal_error: 'choice',
  string_type: 'form',
  bool_type: 'form',
  bool_parsing: 'form',
  list_type: 'form',
  dict_type: 'form',
  model_type: 'form',
  no_such: 'noSuch',
  last_administrator: 'lastAdministrator',
  has_work: 'hasWork',
  phone_number: 'phoneNumber',
  web_address: 'webAddress',
  no_sender: 'noSender',
  unknown_kind: 'unknownKind',
  unknown_connector: 'unknownConnector',
  version_to_come: 'versionToCome',
  toml_syntax_at: 'tomlAt',
  toml_end: 'tomlEnd',
  toml_syntax: 'tomlSyntax',
  toml_deep: 'tomlDeep',
  toml_tables: 'tomlTables',
  toml_table: 'tomlTable',
  nul_characters: 'nulCharacters',
  secret_env_unset: 'secretEnvUnset',
  secret_env_name: 'secretEnvName',
  secret_file_outside: 'secretFileOutside',
  secret_file_unreadable: 'secretFileUnreadable',
  secret_keys: 'secretKeys',
  order_and_ageing: 'orderAndAgeing',
  auto_accept_alone: 'autoAcceptAlone',
  help_limit: 'helpLimit',
  ring_widens_nothing: 'ringWidensNothing',
  steps_out_of_order: 'stepsOutOfOrder',
  overflow_loop: 'overflowLoop',
  outside_loop: 'outsideLoop',
  outside_needs_queue: 'outsideNeedsQueue',
  unknown_time_zone: 'unknownTimeZone',
  unknown_country: 'unknownCountry',
  bad_time: 'badTime',
  span_empty: 'spanEmpty',
  spans_out_of_order: 'spansOutOfOrder',
  spans_overlap: 'spansOverlap',
  spans_overlap_next_day: 'spansOverlapNextDay',
  bad_date: 'badDate',
  date_twice: 'dateTwice',
  empty_day: 'emptyDay',
  no_presence: 'noPresence',
  no_weeks: 'noWeeks',
  not_tried: 'notTried',
  changed_since: 'changedSince',
  settings_not_kept: 'settingsNotKept',
}

/** What is wrong, in the reader's language; the hub's own sentence for kinds that have no words. */
export function faultText({ type = '', facts = {}, message }: Fault, t: Words): string {
  const word = words[type]
  if (!word) return message
  const empty = (word === 'tooShort' || word === 'tooFew') && facts['min_length'] === 1
  const limit = facts['min_length'] ?? facts['max_length'] ?? facts['ge'] ?? facts['le'] ?? facts['gt'] ?? facts['lt']
  const kind = word === 'noSuch' ? t(`desk.admin.kind.${String(facts['kind'])}`).toLowerCase() : facts['kind']
  return t(`desk.admin.fault.${empty ? 'missing' : word}`, { ...facts, kind, limit })
}
