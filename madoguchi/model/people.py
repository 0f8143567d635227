"""Customers, their identities, and those who act in the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from madoguchi.model.ids import NIL, Id


class Scheme(StrEnum):
    """The name space of an identity's address."""

    PHONE = "phone"
    MAIL = "mail"
    VISITOR = "visitor"
    CUSTOMER = "customer"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Address:
    """One address in its normal form: E.164 number, mail address, visitor id, shop customer id."""

    scheme: Scheme
    value: str


@dataclass(frozen=True, slots=True)
class Identity:
    """One address of a customer, verified by the channel or only claimed."""

    id: Id
    address: Address
    verified: bool
    name: str
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or company; whose identities they are is told by ``customer_of`` only.

    ``attributes``: what the business has said of them, signed.
    """

    id: Id
    name: str
    language: str
    created_at: datetime
    version: int = 1
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Role(StrEnum):
    """What an account of the desk may do; see :mod:`madoguchi.security.permissions`."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an agent, a visitor, or the system."""

    id: Id
    name: str
    roles: frozenset[Role] = frozenset()
    queues: frozenset[str] = frozenset()
    teams: frozenset[str] = field(default=frozenset())
    domain: int = 1
    language: str = "ja"

    def has(self, role: Role) -> bool:
        """Tell whether the actor holds a role."""
        return role in self.roles


SYSTEM = Actor(NIL, "system", frozenset(Role))
