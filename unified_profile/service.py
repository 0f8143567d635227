"""Loading and saving around the resolver, the customer's view, links and their undoing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import NOBODY, Entity, LogEntry
from madoguchi.model.people import SYSTEM, Actor, Address, Customer, Identity, Scheme
from madoguchi.security.audit import record
from madoguchi.security.permissions import NotFound
from madoguchi.store.hot import Hot, Listed, among, constant
from madoguchi.store.log import append
from madoguchi.store.work import Conflict, Many, Work
from unified_profile.resolver import Claim, Known, Move, Resolution, addresses, resolve
from unified_profile.tables import (
    customer,
    customer_of,
    identity,
    identity_claim,
    pointer_journal,
)

LINKED = "linked"
"""Why a pointer moved: by a person's word."""

Found = dict[Address, tuple[Identity, Customer]]


def known_to(claims: Sequence[Claim]) -> Work[Known]:
    """Return what is stored of the people that some claims speak of."""
    if not claims:
        return Known({}, {}, {})
    known = yield from _load(addresses(claims))
    if any(claim.same_as for claim in claims):
        known = replace(known, business_ids=(yield from _business_ids(known.customers)))
    return known


def meet(
    claims: Sequence[Claim], known: Known, now: datetime, new_id: Callable[[], Id]
) -> Work[Found]:
    """Find or make identities and customers for a batch; part of the caller's transaction."""
    if not claims:
        return {}
    resolution = resolve(claims, known, now, new_id)
    yield from _save(resolution, now)
    return resolution.found


_KNOWN = Listed(
    lambda addresses: (
        select(
            identity,
            customer_of.c.customer,
            customer_of.c.version.label("pointer_version"),
            customer.c.name.label("customer_name"),
            customer.c.language,
            customer.c.created_at.label("customer_created_at"),
            customer.c.version.label("customer_version"),
            customer.c.attributes,
        )
        .join(customer_of, customer_of.c.identity == identity.c.id)
        .join(customer, customer.c.id == customer_of.c.customer)
        .where(among((identity.c.scheme, identity.c.value), addresses))
        .order_by(identity.c.id)
    ),
    identity.c.scheme,
    identity.c.value,
)


def _load(wanted: Sequence[Address]) -> Work[Known]:
    rows = yield _KNOWN([(a.scheme.value, a.value) for a in wanted])
    return Known(
        {(one := identity_of(r)).address: one for r in rows},
        {r.id: (r.customer, r.pointer_version) for r in rows},
        {
            r.customer: Customer(
                r.customer,
                r.customer_name,
                r.language,
                r.customer_created_at,
                r.customer_version,
                r.attributes,
            )
            for r in rows
        },
    )


_BUSINESS_IDS = Listed(
    lambda customers: (
        select(customer_of.c.customer, identity.c.value)
        .join(identity, identity.c.id == customer_of.c.identity)
        .where(
            among(customer_of.c.customer, customers),
            identity.c.scheme == constant(Scheme.CUSTOMER),
        )
    ),
    customer_of.c.customer,
)


def _business_ids(customers: Iterable[Id]) -> Work[dict[Id, frozenset[str]]]:
    """Return customer → the business's own ids of it."""
    rows = yield _BUSINESS_IDS(sorted(customers))
    found: dict[Id, frozenset[str]] = {}
    for row in rows:
        found[row.customer] = found.get(row.customer, frozenset()) | {row.value}
    return found


def identity_of(row: Any) -> Identity:
    """Return the identity of a row of its table."""
    address = Address(Scheme(row.scheme), row.value)
    return Identity(row.id, address, row.verified, row.name, row.created_at, row.version)


_NEW_CUSTOMER = Hot(
    customer.insert().inline(), "id", "name", "language", "attributes", "created_at", "version"
)
_NEW_IDENTITY = Hot(
    identity.insert().inline(),
    "id",
    "scheme",
    "value",
    "verified",
    "name",
    "created_at",
    "version",
    # Two channels may meet a person at once: the second waits for the first, by the address.
    owned=False,
)
_NEW_POINTER = Hot(customer_of.insert().inline(), "identity", "customer", "version")


def _save(resolution: Resolution, now: datetime) -> Work[None]:
    yield _NEW_CUSTOMER.each(
        [
            {
                "id": c.id,
                "name": c.name,
                "language": c.language,
                "attributes": dict(c.attributes),
                "created_at": c.created_at,
                "version": c.version,
            }
            for c in resolution.new_customers
        ]
    )
    yield _NEW_IDENTITY.each([_identity_row(i) for i in resolution.new_identities])
    yield _NEW_POINTER.each(
        [{"identity": i, "customer": c, "version": 1} for i, c in resolution.new_pointers]
    )
    for changed in resolution.changed_identities:
        yield (
            update(identity)
            .where(identity.c.id == changed.id)
            .values(verified=changed.verified, name=changed.name, version=changed.version)
        )
    for told in resolution.changed_customers:
        done = yield (
            update(customer)
            .where(customer.c.id == told.id, customer.c.version == told.version - 1)
            .values(name=told.name, attributes=dict(told.attributes), version=told.version)
            .returning(customer.c.id)
        )
        if not done:
            raise Conflict("the customer was changed by somebody else")
    yield from move(resolution.moves, SYSTEM, "identified", now)
    if resolution.suggested:
        rows = [{"identity": i, "customer": c, "at": now} for i, c in resolution.suggested]
        yield insert(identity_claim).values(rows).on_conflict_do_nothing()
    yield append(changed_entries((c.id, c.version) for c in resolution.changed_customers)(now))


def _identity_row(one: Identity) -> dict[str, Any]:
    return {
        "id": one.id,
        "scheme": one.address.scheme.value,
        "value": one.address.value,
        "verified": one.verified,
        "name": one.name,
        "created_at": one.created_at,
        "version": one.version,
    }


def changed_entries(
    customers: Iterable[tuple[Id, int]],
) -> Callable[[datetime], list[LogEntry]]:
    """Return the log entries of changed customers; desks with the customer open listen."""
    pairs = list(customers)
    return lambda now: [
        LogEntry("customer.changed", Entity.CUSTOMER, id, version, (audience(id), NOBODY), now)
        for id, version in pairs
    ]


def audience(customer_id: Id) -> str:
    """Return the audience of those who have a customer on screen."""
    return f"customer:{customer_id}"


def move(moves: Sequence[Move], actor: Actor, why: str, now: datetime) -> Work[None]:
    """Let pointers go to other customers and keep a journal. Raises Conflict on a lost race."""
    for one in moves:
        done = yield (
            update(customer_of)
            .where(customer_of.c.identity == one.identity, customer_of.c.version == one.version)
            .values(customer=one.target, version=one.version + 1)
            .returning(customer_of.c.identity)
        )
        if not done:
            raise Conflict("the identity was moved by somebody else")
    yield Many(
        pointer_journal.insert(),
        [
            {
                "domain": DOMAIN,
                "identity": m.identity,
                "from_customer": m.source,
                "to_customer": m.target,
                "by": actor.id,
                "why": why,
                "at": now,
            }
            for m in moves
        ],
    )
    touched = sorted({c for m in moves for c in (m.source, m.target)})
    if touched:
        rows = yield (
            update(customer)
            .where(customer.c.id.in_(touched))
            .values(version=customer.c.version + 1)
            .returning(customer.c.id, customer.c.version)
        )
        yield append(changed_entries((r.id, r.version) for r in rows)(now))


def link(actor: Actor, identity_id: Id, target: Id, now: datetime) -> Work[Id]:
    """Let an identity belong to another customer, by a person's word; return the old customer.

    Raises NotFound when either does not exist.
    """
    rows = yield (
        select(customer_of).where(customer_of.c.identity == identity_id).with_for_update()
    )
    there = yield select(customer.c.id).where(customer.c.id == target)
    if not rows or not there:
        raise NotFound("identity" if not rows else "customer")
    source: Id = rows[0].customer
    if source != target:
        moved = [Move(identity_id, source, target, rows[0].version)]
        yield from move(moved, actor, LINKED, now)
        yield record(
            actor, "identity.link", f"identity:{identity_id}", {"from": source, "to": target}, now
        )
    return source


def rename(actor: Actor, customer_id: Id, name: str, version: int, now: datetime) -> Work[int]:
    """Give a customer a name. Raises NotFound, Conflict when ``version`` is not the present one."""
    rows = yield (
        update(customer)
        .where(customer.c.id == customer_id, customer.c.version == version)
        .values(name=name, version=version + 1)
        .returning(customer.c.version)
    )
    if not rows:
        there = yield select(customer.c.version).where(customer.c.id == customer_id)
        if not there:
            raise NotFound("customer")
        raise Conflict(f"the customer is at version {there[0].version}")
    yield append(changed_entries([(customer_id, version + 1)])(now))
    yield record(actor, "customer.rename", f"customer:{customer_id}", {}, now)
    return version + 1


def identities_of(customers: Sequence[Id]) -> Work[dict[Id, list[Identity]]]:
    """Return customer → identities, oldest first."""
    rows = yield (
        select(identity, customer_of.c.customer)
        .join(customer_of, customer_of.c.identity == identity.c.id)
        .where(customer_of.c.customer.in_(customers))
        .order_by(identity.c.created_at, identity.c.id)
    )
    found: dict[Id, list[Identity]] = {id: [] for id in customers}
    for row in rows:
        found[row.customer].append(identity_of(row))
    return found


def identities_by_id(ids: Iterable[Id]) -> Work[dict[Id, Identity]]:
    """Return identities by id."""
    rows = yield select(identity).where(identity.c.id.in_(sorted(set(ids))))
    return {row.id: identity_of(row) for row in rows}


_CUSTOMERS = Listed(
    lambda identities: (
        select(customer_of.c.identity, customer)
        .join(customer, customer.c.id == customer_of.c.customer)
        .where(among(customer_of.c.identity, identities))
    ),
    customer_of.c.identity,
)


def customers_of(identities: Sequence[Id]) -> Work[dict[Id, Customer]]:
    """Return identity → its customer now."""
    if not identities:
        return {}
    rows = yield _CUSTOMERS(identities)
    return {
        r.identity: Customer(r.id, r.name, r.language, r.created_at, r.version, r.attributes)
        for r in rows
    }


def business_ids(customers: Iterable[Id]) -> Work[dict[Id, str]]:
    """Return customer → the business's own id, the first of several."""
    found = yield from _business_ids(customers)
    return {customer: min(ids) for customer, ids in found.items()}


def bodies(ids: Sequence[Id]) -> Work[dict[Id, dict[str, Any]]]:
    """Render customers for the desk: name, identities with their shields."""
    rows = yield select(customer).where(customer.c.id.in_(ids))
    people = yield from identities_of([r.id for r in rows])
    linked = yield from _linked([r.id for r in rows])
    return {
        r.id: {
            "id": r.id,
            "version": r.version,
            "name": r.name,
            "language": r.language,
            "attributes": r.attributes,
            "created_at": r.created_at,
            "identities": [
                {
                    "id": i.id,
                    "scheme": i.address.scheme,
                    "value": i.address.value,
                    "verified": i.verified,
                    "linked": i.id in linked,
                    "name": i.name,
                    "created_at": i.created_at,
                }
                for i in people[r.id]
            ],
        }
        for r in rows
    }


def claimed(customer_id: Id) -> Work[set[Address]]:
    """Return the addresses that a customer was said to have and that are somebody else's."""
    rows = yield (
        select(identity.c.scheme, identity.c.value)
        .join(identity_claim, identity_claim.c.identity == identity.c.id)
        .where(identity_claim.c.customer == customer_id)
    )
    return {Address(Scheme(r.scheme), r.value) for r in rows}


def _linked(customers: Sequence[Id]) -> Work[set[Id]]:
    """Return the identities that a person has said to belong to their customer."""
    rows = yield (
        select(pointer_journal.c.identity)
        .join(customer_of, customer_of.c.identity == pointer_journal.c.identity)
        .where(
            customer_of.c.customer.in_(customers),
            pointer_journal.c.to_customer == customer_of.c.customer,
            pointer_journal.c.why == LINKED,
        )
    )
    return {r.identity for r in rows}


def suggestions(address: Address) -> Work[list[Id]]:
    """Return customers who own a verified identity of this address; a suggestion, never a link."""
    rows = yield (
        select(customer_of.c.customer)
        .join(identity, identity.c.id == customer_of.c.identity)
        .where(
            identity.c.scheme == address.scheme.value,
            identity.c.value == address.value,
            identity.c.verified.is_(True),
        )
    )
    return [r.customer for r in rows]
