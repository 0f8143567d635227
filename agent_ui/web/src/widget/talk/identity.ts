import type { Claim } from '../state/model'
import type { Session } from './session'

/** What the business says of a customer: where it changes, the hub is told anew. */
const said = (claim: Claim): string => JSON.stringify(claim.attributes ?? {})

/** Who is signed in on the host page. */
export class Identity {
  claim: Claim | null = null

  constructor(private readonly session: Session) {
    session.afterHello = () => this.#tell()
  }

  /**
   * Tells the hub, at once where it does not know this customer yet: the claim ages. Another
   * customer than before, or none, is another visitor.
   */
  async set(claim: Claim | null): Promise<void> {
    const known = this.session.ports.kept.get('known')
    this.claim = null
    if (!claim || (known && known !== claim.id)) await this.session.reset()
    this.claim = claim
    if (!claim || this.#told(claim)) return
    if (this.session.store.value.link === 'live') await this.#tell()
    else await this.session.connect(true)
  }

  #told(claim: Claim): boolean {
    const { kept } = this.session.ports
    return kept.get('known') === claim.id && (kept.get('said') ?? '{}') === said(claim)
  }

  async #tell(): Promise<void> {
    const claim = this.claim
    const { kept } = this.session.ports
    if (!claim || this.#told(claim)) return
    const answer = await this.session.ask('identify', claim)
    if (answer?.ok) {
      kept.set('known', claim.id)
      kept.set('said', said(claim))
    }
    else if (answer) console.warn('Madoguchi.identify:', answer.code)
    this.session.settle()
  }
}
