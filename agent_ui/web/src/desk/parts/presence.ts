import type { Agent } from '@desk/model/entities'

/** What stands beside a name: the activity while there is one, else the presence. */
export type Sign = 'available' | 'busy' | 'wrap_up' | 'away' | 'missed' | 'offline' | 'lost'

export function signOf(agent: Agent): { sign: Sign; since: string | null } {
  if (agent.presence === 'missed') return { sign: 'missed', since: agent.since }
  if (agent.presence !== 'offline' && !agent.connected) return { sign: 'lost', since: agent.since }
  if (agent.presence !== 'offline' && agent.activity !== 'idle') {
    return { sign: agent.activity, since: agent.activity_since }
  }
  return { sign: agent.presence, since: agent.since }
}

/** Reasons for being away that the menu offers, and how long they usually take (minutes). */
export const awayReasons = [
  { key: 'lunch', minutes: 60 },
  { key: 'break', minutes: 15 },
  { key: 'training', minutes: 0 },
  { key: 'desk_work', minutes: 0 },
] as const
