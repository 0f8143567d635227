"""The outbox's rows: what is due on which account, in the order of its lanes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Select, Update, case, exists, literal, not_, or_, select, update

from connectors.outcomes import put_off
from madoguchi.clock import APART
from madoguchi.conversations import repository
from madoguchi.conversations.tables import message as message_table
from madoguchi.conversations.views import TOLD_FROM
from madoguchi.model.ids import Id
from madoguchi.model.inbound import Outbound
from madoguchi.store.hot import constant
from madoguchi.store.tables import outbox
from madoguchi.store.types import Instant
from madoguchi.store.work import Work
from unified_profile.tables import identity

AT_ONCE = 8
"""So many messages are on their way at once on one account."""

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0
SENDING_TAKES_S = 5.0
TOLD_AT_ONCE = 200
"""So many messages are told in one transaction that they wait."""


class OutboxState(IntEnum):
    """Waiting, started (and maybe unknown), or over."""

    WAITING = 0
    STARTED = 1
    DONE = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One message to send; ``started`` when it was begun and has no end."""

    row: int
    account: Id
    lane: str
    attempts: int
    started: datetime | None
    holder: str | None
    first: datetime | None
    outbound: Outbound


_OPEN = (
    select(
        outbox,
        message_table.c.conversation,
        message_table.c.channel,
        message_table.c.parts,
        identity.c.scheme,
        identity.c.value,
    )
    .join(message_table, message_table.c.id == outbox.c.message)
    .join(identity, identity.c.id == message_table.c.identity)
    .where(outbox.c.state < constant(OutboxState.DONE))
)


def accounts_due(running: Sequence[Id], now: datetime) -> Select[Any]:
    """Return which accounts have something to do."""
    return (
        select(outbox.c.account)
        .where(
            outbox.c.state < constant(OutboxState.DONE),
            outbox.c.due_at <= now,
            outbox.c.account.in_(running),
        )
        .distinct()
    )


def first_due(account: Id, now: datetime, aside: Sequence[int]) -> Select[Any]:
    """Return the first open row of each lane of an account, if it is due.

    Twice as many as have room: a lane may be busy with a message that its callback has ended.
    """
    earlier = outbox.alias("earlier")
    behind = exists().where(
        earlier.c.lane == outbox.c.lane,
        earlier.c.state < constant(OutboxState.DONE),
        earlier.c.id < outbox.c.id,
    )
    return (
        _OPEN.where(
            outbox.c.account == account,
            outbox.c.due_at <= now,
            outbox.c.id.not_in(aside),
            not_(behind),
        )
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(2 * AT_ONCE)
    )


def own_pause_s(attempts: int) -> float:
    """Return how long to wait after so many attempts when the provider does not say."""
    return min(FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 16), LONGEST_PAUSE_S)


def asked_pauses(now: datetime) -> Work[dict[Id, float]]:
    """Return account → the seconds left of a pause that its provider has asked for.

    A row that was put off for longer than our own pause was put off by the provider.
    """
    rows = yield select(
        outbox.c.account, outbox.c.attempts, outbox.c.started_at, outbox.c.due_at
    ).where(
        outbox.c.state == constant(OutboxState.WAITING),
        outbox.c.attempts > 0,
        outbox.c.due_at > now,
    )
    found: dict[Id, float] = {}
    for row in rows:
        own = timedelta(seconds=own_pause_s(row.attempts) + SENDING_TAKES_S)
        if row.due_at - row.started_at > own:
            left = (row.due_at - now).total_seconds()
            found[row.account] = max(left, found.get(row.account, 0.0))
    return found


def held_up(
    accounts: Sequence[Id], pauses: Mapping[Id, datetime], now: datetime
) -> Work[dict[Id, datetime]]:
    """Return message → the end of the pause that it waits for, where it does not say so yet: its
    account's (``pauses``), or that of the message before it in its lane. Some at a time.
    """
    waiting = outbox.c.state == constant(OutboxState.WAITING)
    early = outbox.alias("early")
    rows = yield (
        select(outbox.c.message, early.c.due_at)
        .join(early, (early.c.lane == outbox.c.lane) & (early.c.id < outbox.c.id))
        .where(
            early.c.account.in_(accounts),
            early.c.state == constant(OutboxState.WAITING),
            early.c.attempts > 0,
            early.c.due_at > now + TOLD_FROM,
            waiting,
            outbox.c.due_at <= now,
        )
        .limit(TOLD_AT_ONCE)
    )
    waits: dict[Id, datetime] = {row.message: row.due_at for row in rows}
    for account, end in pauses.items():
        if end <= now + TOLD_FROM:
            continue
        rows = yield (
            select(outbox.c.message)
            .where(outbox.c.account == account, waiting, outbox.c.due_at < end - TOLD_FROM)
            .limit(TOLD_AT_ONCE)
        )
        waits |= {row.message: end for row in rows}
    return waits


def hold_back(waits: Mapping[Id, datetime], now: datetime) -> Work[None]:
    """Let messages wait for the end of a pause, and tell so. Their rows say it, so that each pause
    is told once, and again only when it grows. ``started_at`` of a message that was never tried is
    the moment of that.
    """
    found = yield from repository.messages_by_ids(waits)
    moved: set[Id] = set()
    for end in sorted(set(waits.values())):
        rows = yield (
            update(outbox)
            .where(
                outbox.c.message.in_([id for id in found if waits[id] == end]),
                outbox.c.state == constant(OutboxState.WAITING),
                outbox.c.due_at < end,
            )
            .values(
                due_at=end,
                started_at=case(
                    (outbox.c.attempts == 0, literal(now, Instant)), else_=outbox.c.started_at
                ),
            )
            .returning(outbox.c.message)
        )
        moved |= {row.message for row in rows}
    yield from put_off([one for id, one in found.items() if id in moved], now)


def ask_again(accounts: Sequence[Id], now: datetime) -> Work[None]:
    """Make due what was put off on accounts that have other settings now. What was never tried or
    held back waits for a time of its own, and goes on to.
    """
    yield (
        update(outbox)
        .where(
            outbox.c.account.in_(accounts),
            outbox.c.state == constant(OutboxState.WAITING),
            outbox.c.due_at > now,
            outbox.c.started_at.is_not(None),
        )
        .values(due_at=now)
    )


def set_in_the_future(now: datetime) -> Update:
    """Make due what was put off by a clock that went back since: it would wait for hours.

    That is told by what was past when the row was written: the attempt, else the message. Rows that
    are being written get a time of today's clock; nobody is waited for, as the messages that these
    rows belong to are not locked.
    """
    early = outbox.alias("early")
    young = exists().where(
        message_table.c.id == early.c.message, message_table.c.received_at > now + APART
    )
    waiting = (
        select(early.c.id)
        .where(
            early.c.state < constant(OutboxState.DONE),
            early.c.due_at > now,
            or_(early.c.started_at > now + APART, early.c.started_at.is_(None) & young),
        )
        .with_for_update(skip_locked=True)
    )
    return update(outbox).where(outbox.c.id.in_(waiting)).values(due_at=now)
