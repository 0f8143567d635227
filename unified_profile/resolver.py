"""Which customer is it? Pure rules over what the store knows of some addresses.

A customer who has the business's own id is *known*. What belongs to a known customer is never taken
away by a claim: two people with one telephone would move it back and forth. The later claim is kept
as a suggestion to link, for a person to decide. See docs/decisions/0007.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from madoguchi.model.ids import Id
from madoguchi.model.people import Address, Customer, Identity, Scheme


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody was met: an address, whether the channel vouches for it, and how they are called.

    ``same_as``: further addresses that the account's owner vouches to be the same person.
    ``attributes``: what the owner says of the person; an empty one is taken back.
    """

    address: Address
    verified: bool
    name: str = ""
    language: str = "ja"
    same_as: tuple[Address, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored: identities by address, identity → (customer, pointer version), customers,
    customer → the business's own ids of it (needed for claims with ``same_as`` only).
    """

    identities: Mapping[Address, Identity] = field(default_factory=dict)
    pointers: Mapping[Id, tuple[Id, int]] = field(default_factory=dict)
    customers: Mapping[Id, Customer] = field(default_factory=dict)
    business_ids: Mapping[Id, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A pointer that goes to another customer, with the version that it had."""

    identity: Id
    source: Id
    target: Id
    version: int


@dataclass(slots=True)
class Resolution:
    """Rows to write, and the answer: address → (identity, customer).

    ``suggested``: (identity, customer) of claims that were not followed.
    """

    new_identities: list[Identity] = field(default_factory=list)
    changed_identities: list[Identity] = field(default_factory=list)
    new_customers: list[Customer] = field(default_factory=list)
    changed_customers: list[Customer] = field(default_factory=list)
    new_pointers: list[tuple[Id, Id]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    suggested: list[tuple[Id, Id]] = field(default_factory=list)
    found: dict[Address, tuple[Identity, Customer]] = field(default_factory=dict)


def addresses(claims: Sequence[Claim]) -> list[Address]:
    """Return every address that the claims mention, once."""
    return list(dict.fromkeys(a for c in claims for a in (c.address, *c.same_as)))


def resolve(
    claims: Sequence[Claim], known: Known, now: datetime, new_id: Callable[[], Id]
) -> Resolution:
    """Find or make the identity and the customer of each claim, in order."""
    work = _Resolver(known, now, new_id)
    for claim in claims:
        work.meet(claim)
    return work.result


class _Resolver:
    """The state of one resolution: what is known plus what is decided so far."""

    def __init__(self, known: Known, now: datetime, new_id: Callable[[], Id]) -> None:
        self._identities = dict(known.identities)
        self._pointers = dict(known.pointers)
        self._customers = dict(known.customers)
        self._business_ids = dict(known.business_ids)
        self._now = now
        self._new_id = new_id
        self.result = Resolution()

    def meet(self, claim: Claim) -> None:
        identity = self._identity(claim.address, claim.verified, claim.name)
        same = [self._identity(address, True, "") for address in claim.same_as]
        target = self._customer_of([*same, identity], claim)
        for one in (identity, *same):
            self._point(one, target.id)
        self._described(target, claim)
        for one in (identity, *same):
            self.result.found[one.address] = (one, self._customers[self._pointers[one.id][0]])

    def _identity(self, address: Address, verified: bool, name: str) -> Identity:
        identity = self._identities.get(address)
        if identity is None:
            identity = Identity(self._new_id(), address, verified, name, self._now)
            self.result.new_identities.append(identity)
        elif verified and not identity.verified:
            identity = Identity(
                identity.id,
                address,
                True,
                name or identity.name,
                identity.created_at,
                identity.version + 1,
            )
            self.result.changed_identities.append(identity)
        self._identities[address] = identity
        return identity

    def _customer_of(self, same: Sequence[Identity], claim: Claim) -> Customer:
        """Choose among the customers whom these identities belong to; make one if there is none.

        The business's own customer id decides, then a known customer, then the oldest: its history
        is longest. A customer with other ids of the business is somebody else.
        """
        ids = frozenset(i.address.value for i in same if i.address.scheme is Scheme.CUSTOMER)
        pointed = [
            (
                identity.address.scheme is not Scheme.CUSTOMER,
                not self._known(id),
                self._customers[id],
            )
            for identity in same
            for id in self._targets(identity)
            if not ids or not self._known(id) or ids & self._business_ids[id]
        ]
        if pointed:
            return min(pointed, key=lambda one: (*one[:2], one[2].created_at, one[2].id))[2]
        customer = Customer(self._new_id(), claim.name, claim.language, self._now)
        self._customers[customer.id] = customer
        self.result.new_customers.append(customer)
        return customer

    def _targets(self, identity: Identity) -> list[Id]:
        pointer = self._pointers.get(identity.id)
        return [pointer[0]] if pointer and pointer[0] in self._customers else []

    def _known(self, customer: Id) -> bool:
        """Tell whether a customer has an id of the business."""
        return bool(self._business_ids.get(customer))

    def _point(self, identity: Identity, customer: Id) -> None:
        pointer = self._pointers.get(identity.id)
        if pointer is None:
            self.result.new_pointers.append((identity.id, customer))
            self._pointers[identity.id] = (customer, 1)
            if identity.address.scheme is Scheme.CUSTOMER:
                mine = self._business_ids.get(customer, frozenset())
                self._business_ids[customer] = mine | {identity.address.value}
        elif pointer[0] != customer:
            # A browser is whoever signed in there last; everything else stays with whom we know.
            if identity.address.scheme is not Scheme.VISITOR and self._known(pointer[0]):
                self._suggest(identity.id, customer)
                return
            self.result.moves.append(Move(identity.id, pointer[0], customer, pointer[1]))
            self._pointers[identity.id] = (customer, pointer[1] + 1)

    def _suggest(self, identity: Id, customer: Id) -> None:
        if (identity, customer) not in self.result.suggested:
            self.result.suggested.append((identity, customer))

    def _described(self, customer: Customer, claim: Claim) -> None:
        """Give a customer what was told: a name if there is none yet, what the business says."""
        said = {**customer.attributes, **claim.attributes}
        said = {name: value for name, value in said.items() if value != ""}
        name = customer.name or claim.name
        if (name, said) == (customer.name, dict(customer.attributes)):
            return
        changed = replace(customer, name=name, attributes=said)
        fresh, old = self.result.new_customers, self.result.changed_customers
        if customer in fresh:
            fresh[fresh.index(customer)] = changed
        elif customer in old:
            old[old.index(customer)] = changed
        else:
            changed = replace(changed, version=customer.version + 1)
            old.append(changed)
        self._customers[customer.id] = changed
