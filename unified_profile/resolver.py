"""Which customer is it? Pure rules over what the store knows of some addresses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from madoguchi.model.ids import Id
from madoguchi.model.people import Address, Customer, Identity, Scheme


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody was met: an address, whether the channel vouches for it, and how they are called.

    ``same_as``: further addresses that the account's owner vouches to be the same person.
    """

    address: Address
    verified: bool
    name: str = ""
    language: str = "ja"
    same_as: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored: identities by address, identity → (customer, pointer version), customers."""

    identities: Mapping[Address, Identity] = field(default_factory=dict)
    pointers: Mapping[Id, tuple[Id, int]] = field(default_factory=dict)
    customers: Mapping[Id, Customer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A pointer that goes to another customer, with the version that it had."""

    identity: Id
    source: Id
    target: Id
    version: int


@dataclass(slots=True)
class Resolution:
    """Rows to write, and the answer: address → (identity, customer)."""

    new_identities: list[Identity] = field(default_factory=list)
    changed_identities: list[Identity] = field(default_factory=list)
    new_customers: list[Customer] = field(default_factory=list)
    changed_customers: list[Customer] = field(default_factory=list)
    new_pointers: list[tuple[Id, Id]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
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
        self._now = now
        self._new_id = new_id
        self.result = Resolution()

    def meet(self, claim: Claim) -> None:
        identity = self._identity(claim.address, claim.verified, claim.name)
        same = [self._identity(address, True, "") for address in claim.same_as]
        customer = self._customer_of([*same, identity], claim)
        for one in (identity, *same):
            self._point(one.id, customer.id)
        customer = self._named(customer, claim)
        for one in (identity, *same):
            self.result.found[one.address] = (one, customer)

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

        The business's own customer id decides, else the oldest customer: its history is longest.
        """
        pointed = [
            (identity.address.scheme is not Scheme.CUSTOMER, self._customers[customer])
            for identity in same
            for customer in self._targets(identity)
        ]
        if pointed:
            return min(pointed, key=lambda pair: (pair[0], pair[1].created_at, pair[1].id))[1]
        customer = Customer(self._new_id(), claim.name, claim.language, self._now)
        self._customers[customer.id] = customer
        self.result.new_customers.append(customer)
        return customer

    def _targets(self, identity: Identity) -> list[Id]:
        pointer = self._pointers.get(identity.id)
        return [pointer[0]] if pointer and pointer[0] in self._customers else []

    def _point(self, identity: Id, customer: Id) -> None:
        pointer = self._pointers.get(identity)
        if pointer is None:
            self.result.new_pointers.append((identity, customer))
            self._pointers[identity] = (customer, 1)
        elif pointer[0] != customer:
            self.result.moves.append(Move(identity, pointer[0], customer, pointer[1]))
            self._pointers[identity] = (customer, pointer[1] + 1)

    def _named(self, customer: Customer, claim: Claim) -> Customer:
        """Give a customer without a name the one that was told."""
        if customer.name or not claim.name:
            return customer
        named = Customer(
            customer.id, claim.name, customer.language, customer.created_at, customer.version + 1
        )
        fresh = self.result.new_customers
        if customer in fresh:
            fresh[fresh.index(customer)] = named
        else:
            self.result.changed_customers.append(named)
        self._customers[customer.id] = named
        return named
