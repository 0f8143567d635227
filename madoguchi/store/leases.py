"""Fenced leases: who may write for a partition or a domain, by the database's own word.

A lease has a holder (one start of one process) and an epoch that grows with each taking-over. A
writer's transaction begins with :func:`renew`; when that finds another holder, nothing is written.
A holder's name is ``node.start``: a node's data folder is locked, so a later start of the same
node knows that the earlier one is dead and need not wait for its leases to expire.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Interval, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.store.hot import Listed, among
from madoguchi.store.tables import lease
from madoguchi.store.types import Instant
from madoguchi.store.work import Work

TTL_S = 10.0


class LeaseLost(Exception):
    """Another process holds the lease now; what was prepared must be dropped."""


def database_time(dialect: str, now: datetime) -> Any:
    """Return the moment that leases count by: the server's own on PostgreSQL, where processes
    on several machines compete; ``now`` on SQLite, where there is one process.
    """
    if dialect == "postgresql":
        return func.clock_timestamp(type_=DateTime(timezone=True))
    return now


def acquire(
    names: Sequence[str], holder: str, now: Any, ttl_s: float = TTL_S
) -> Work[dict[str, int]]:
    """Take the free and the expired ones among some leases; return name → epoch of those held."""
    if not names:
        return {}
    node = holder.partition(".")[0]
    expires = now + timedelta(seconds=ttl_s)
    # Nobody alive has a lease for so long: the clock went back, and its holder may be dead.
    absurd = now + timedelta(seconds=2 * max(ttl_s, TTL_S))
    over = (lease.c.expires_at < now) | (lease.c.expires_at > absurd)
    free = (lease.c.holder != holder) & (over | lease.c.holder.startswith(f"{node}."))
    # Who only looks whether something is free must not lock what others work under.
    taken = yield select(lease.c.name).where(lease.c.name.in_(names), ~free)
    wanted = sorted(set(names) - {row.name for row in taken})
    if wanted:
        rows = [{"name": n, "holder": holder, "epoch": 1, "expires_at": expires} for n in wanted]
        yield (
            insert(lease)
            .values(rows)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": holder, "epoch": lease.c.epoch + 1, "expires_at": expires},
                where=free,
            )
        )
    return (yield from held(names, holder))


def held(names: Sequence[str], holder: str) -> Work[dict[str, int]]:
    """Return name → epoch of the leases that a holder has."""
    rows = yield select(lease.c.name, lease.c.epoch).where(
        lease.c.name.in_(names), lease.c.holder == holder
    )
    return {row.name: row.epoch for row in rows}


def _prolonged(expires: ColumnElement[Any]) -> Listed:
    return Listed(
        lambda names: (
            update(lease)
            .where(
                among(lease.c.name, names),
                lease.c.holder == bindparam("b_holder", type_=lease.c.holder.type),
            )
            .values(expires_at=expires)
            .returning(lease.c.name)
        ),
        lease.c.name,
    )


_RENEWED = _prolonged(bindparam("b_expires", type_=Instant))
_RENEWED_BY_SERVER = _prolonged(
    func.clock_timestamp(type_=DateTime(timezone=True)) + bindparam("b_ttl", type_=Interval)
)


def renew(names: Sequence[str], holder: str, now: Any, ttl_s: float = TTL_S) -> Work[None]:
    """Prolong leases that we hold; the row locks fence out a taker until our commit.

    Raises LeaseLost when one of them has another holder.
    """
    if isinstance(now, datetime):
        kept = yield _RENEWED(names, b_holder=holder, b_expires=now + timedelta(seconds=ttl_s))
    else:
        kept = yield _RENEWED_BY_SERVER(names, b_holder=holder, b_ttl=timedelta(seconds=ttl_s))
    if len(kept) != len(set(names)):
        raise LeaseLost(", ".join(sorted(set(names) - {row.name for row in kept})))


_GUARDED = Listed(
    lambda names: (
        select(lease.c.name)
        .where(
            among(lease.c.name, names),
            lease.c.holder == bindparam("holder", type_=lease.c.holder.type),
        )
        .order_by(lease.c.name)
        .with_for_update(read=True)
    ),
    lease.c.name,
)


def guard(names: Sequence[str], holder: str) -> Work[None]:
    """Make sure that we hold leases, without prolonging them; a taker waits for our commit.

    Cheaper than :func:`renew` where many leases are renewed by a clock of their own. Raises
    LeaseLost.
    """
    wanted = sorted(set(names))
    kept = yield _GUARDED(wanted, holder=holder)
    if len(kept) != len(wanted):
        raise LeaseLost(", ".join(sorted(set(wanted) - {row.name for row in kept})))


def release(holder: str) -> Work[None]:
    """Give back everything that a holder has, so that a successor need not wait."""
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    yield update(lease).where(lease.c.holder == holder).values(expires_at=long_ago)
