"""What a customer is told whom a queue cannot take, or has not taken in time, or who was called in
vain. Pure; the words are the queue's or ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from madoguchi.configuration.queue_parts import Full
from madoguchi.conversations import outside
from madoguchi.conversations.callbacks import GIVEN_UP, Wish, marked
from madoguchi.i18n import catalogue
from madoguchi.model.channels import Line
from madoguchi.model.conversation import Conversation, Message
from madoguchi.model.hours import Opening
from madoguchi.model.ids import Id

FULL, WAITED = "full", "waited_too_long"
WHY = frozenset({FULL, WAITED})
"""For these reasons the router ends an item whose customer has to be told."""

MARK, AUTOMATIC = "turned_away", "automatic"
"""Under the first key a conversation's context keeps when its customer was told last, under the
second that a machine wrote last: it is told nothing.
"""

QUIET = timedelta(minutes=10)
"""Who writes again and again while a queue is full is told once in so long."""


@dataclass(frozen=True, slots=True)
class Away:
    """Why somebody is turned away or given up, and what their queue says to it; ``line`` finds by
    what an account speaks, None where it does not work.
    """

    why: str
    policy: Full
    line: Callable[[Id], Line | None]


def tell(
    one: Conversation, away: Away, now: datetime, new_id: Callable[[], Id]
) -> tuple[Conversation, Message | None]:
    """Return a conversation that ends, and what its customer is told; None where nothing is: they
    were told lately, a machine wrote, or the account cannot say anything now.
    """
    if away.why == GIVEN_UP:
        one = replace(one, context=marked(one, state=Wish.GIVEN_UP.value, next_at=None))
    line = away.line(one.account)
    if line is None or line.account.paused or one.context.get(AUTOMATIC):
        return one, None
    if away.why != GIVEN_UP and _told(one, now):
        return one, None
    told = outside.message(new_id(), one, line.capabilities, text(away, one.language), now)
    return replace(one, context={**one.context, MARK: now.isoformat()}), told


def _told(one: Conversation, now: datetime) -> bool:
    last: Any = one.context.get(MARK)
    return last is not None and now - datetime.fromisoformat(last) < QUIET


def closed_words(opening: Opening) -> Full:
    """Return what is said to whose wait has ended after their queue had closed."""
    return Full(text=_closed(opening, "ja"), text_en=_closed(opening, "en"))


def _closed(opening: Opening, language: str) -> str:
    words = catalogue(language)["turnedAway"]
    if opening.opens is None:
        return str(words["closedForNow"])
    opens = outside.moment(opening.opens, opening.zone, language)
    return str(words["closed"]).format(opens=opens)


def text(away: Away, language: str) -> str:
    """Return the words for who is turned away."""
    own = away.policy.text if language == "ja" else away.policy.text_en or away.policy.text
    return own or str(catalogue("ja" if language == "ja" else "en")["turnedAway"][away.why])
