"""Which channels there are, and the living connectors of the configured accounts."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache

import structlog
from pydantic import SecretStr, ValidationError

import connectors
from connectors.base import Connector, Ports
from madoguchi.configuration.catalog import Catalog, Entry, connected
from madoguchi.configuration.kinds import Account as AccountConfig
from madoguchi.configuration.service import Body, Invalid
from madoguchi.configuration.text import KEPT
from madoguchi.model.channels import Line
from madoguchi.model.faults import Fault, faults_of
from madoguchi.model.ids import Id
from madoguchi.security.secrets import BadSecret, Vault

log = structlog.get_logger(__name__)

UNREADABLE = "unreadable"


@cache
def kinds() -> dict[str, type[Connector]]:
    """Return connector name → class, found by looking through this package's modules."""
    found: dict[str, type[Connector]] = {}
    for module in pkgutil.iter_modules(connectors.__path__):
        loaded = importlib.import_module(f"connectors.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Connector) and "name" in vars(value):
                found[value.name] = value
    return found


def secret_fields() -> dict[str, frozenset[str]]:
    """Return connector → names of its secret settings."""
    return {
        name: frozenset(
            field
            for field, info in kind.Settings.model_fields.items()
            if "SecretStr" in str(info.annotation)
        )
        for name, kind in kinds().items()
    }


def sealer(vault: Vault) -> Callable[[str, Body, Body], Body]:
    """Return how settings are checked and their secrets encrypted when they are saved."""

    def seal(connector: str, new: Body, kept: Body) -> Body:
        kind = kinds().get(connector)
        if kind is None:
            known = ", ".join(sorted(kinds()))
            text = f"unknown; known are {known}"
            raise Invalid([Fault("connector", text, "unknown_connector", {"known": known})])
        secrets = secret_fields()[connector]
        settings = {
            field: kept.get(field, "") if field in secrets and value == KEPT else value
            for field, value in new.items()
        }
        readable, faults = _readable(settings, connector, vault)
        try:
            checked = kind.Settings.model_validate(readable)
        except ValidationError as wrong:
            faults += faults_of(wrong.errors(include_input=False), "settings")
            raise Invalid(faults) from wrong
        if faults:
            raise Invalid(faults)
        plain = checked.model_dump(mode="json", exclude_unset=True)
        return {
            field: _sealed(settings[field], kept.get(field), f"{connector}.{field}", vault)
            if field in secrets and settings[field]
            else value
            for field, value in plain.items()
        }

    return seal


def _readable(settings: Body, connector: str, vault: Vault) -> tuple[Body, list[Fault]]:
    """Return settings with their secrets readable, and the faults of secrets that are not: a word
    stands for each of these, so that the rest can be checked.
    """
    readable: Body = {}
    faults = []
    for field, value in settings.items():
        try:
            readable |= opened({field: value}, connector, vault)
        except BadSecret as wrong:
            faults.append(Fault(f"settings.{field}", wrong.reason, wrong.code, wrong.facts))
            readable[field] = SecretStr(UNREADABLE)
    return readable, faults


def _sealed(value: str, kept: object, place: str, vault: Vault) -> str:
    """Return a secret as it is stored. The same secret keeps its present form: encrypting it anew
    would look like a change of the account.
    """
    if isinstance(kept, str) and vault.holds(kept, value, place):
        return kept
    return vault.seal(value, place)


def opened(settings: Body, connector: str, vault: Vault) -> Body:
    """Return settings with their secrets readable. Raises BadSecret."""
    secrets = secret_fields()[connector]
    return {
        field: SecretStr(vault.open(value, f"{connector}.{field}"))
        if field in secrets and isinstance(value, str) and value
        else value
        for field, value in settings.items()
    }


class Registry:
    """The living connectors, by account id and by account key."""

    def __init__(self, ports: Ports, vault: Vault) -> None:
        self._ports = ports
        self._vault = vault
        self._living: dict[Id, tuple[int, Connector]] = {}
        self._by_key: dict[str, Id] = {}
        self.broken: dict[str, str] = {}

    def renew(self, catalog: Catalog) -> None:
        """Take over a configuration: new and changed accounts get new connectors.

        An account whose settings do not hold is left out and shown as broken; the rest goes on.
        """
        living: dict[Id, tuple[int, Connector]] = {}
        self._by_key = {}
        for key, entry in catalog.accounts.items():
            kept = self._living.get(entry.id)
            if kept is not None and kept[0] == entry.version:
                living[entry.id] = kept
            elif (made := self._made(entry)) is not None:
                living[entry.id] = (entry.version, made)
            else:
                continue
            self._by_key[key] = entry.id
        self._living = living

    def by_key(self, key: str) -> Connector | None:
        """Return the connector of an account's key."""
        return self.by_id(self._by_key.get(key, ""))

    def by_id(self, id: Id) -> Connector | None:
        """Return the connector of an account's id."""
        found = self._living.get(id)
        return found[1] if found else None

    def line(self, id: Id) -> Line | None:
        """Return by what an account speaks, None where it does not work."""
        connector = self.by_id(id)
        return Line(connector.account, connector.capabilities) if connector else None

    def by_browser(self, id: Id) -> bool:
        """Tell whether an account's customers call by their browser, not by telephone."""
        line = self.line(id)
        return line is not None and line.capabilities.by_browser

    def mark_broken(self, id: Id, why: str) -> None:
        """Show that a provider refuses an account's credentials."""
        found = self.by_id(id)
        if found is not None and self.broken.get(found.account.key) != why:
            log.error("the provider refuses this account", account=found.account.key, why=why)
            self.broken[found.account.key] = why

    def __iter__(self) -> Iterator[Connector]:
        return iter([connector for _, connector in self._living.values()])

    def _made(self, entry: Entry[AccountConfig]) -> Connector | None:
        config = entry.object
        kind = kinds().get(config.connector)
        if kind is None:
            self.broken[config.key] = f"there is no connector {config.connector!r}"
            return None
        try:
            settings = kind.Settings.model_validate(
                opened(config.settings, config.connector, self._vault)
            )
        except (ValidationError, BadSecret) as fault:
            log.error("account is broken and stays off", account=config.key, why=str(fault))  # noqa: TRY400
            self.broken[config.key] = str(fault)
            return None
        self.broken.pop(config.key, None)
        account = connected(entry, kind.channel)
        return kind(account, settings, self._ports)
