"""REST of the configuration: objects, versions, TOML."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from madoguchi.clock import Clock
from madoguchi.configuration import text
from madoguchi.configuration.catalog import Entry
from madoguchi.configuration.kinds import KINDS, Account, Object, Queue
from madoguchi.configuration.service import (
    Change,
    Configuration,
    Invalid,
    MovedOn,
    Result,
    body_of,
    version,
    versions,
)
from madoguchi.configuration.undo import undone
from madoguchi.http import problems
from madoguchi.http.problems import Problem
from madoguchi.http.table import LAST_VERSION, Body, Call, Nothing, Operation, if_match
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, Forbidden, NotFound, may, require
from madoguchi.store.work import Store

V1 = "/api/v1"

problems.register(
    Invalid,
    lambda e: Problem(422, "invalid", str(e), faults=[f.view() for f in e.faults]),
)
problems.register(
    MovedOn, lambda e: Problem(412, "moved_on", str(e), version=e.version, kind=e.kind, key=e.key)
)


class ObjectBody(Body):
    """An object's fields and why they are changed."""

    body: dict[str, Any]
    reason: Annotated[str, Field(max_length=500)] = ""


class UndoBody(Body):
    """Why a version is taken back."""

    reason: Annotated[str, Field(max_length=500)] = ""


class ReasonQuery(Body):
    """Why something is deleted."""

    reason: Annotated[str, Field(max_length=500)] = ""


class ApplyBody(Body):
    """A TOML text with the changes that it asks for."""

    toml: Annotated[str, Field(max_length=1_000_000)]
    reason: Annotated[str, Field(max_length=500)] = ""
    dry_run: bool = False
    prune: bool = False


class PasswordBody(Body):
    """A new password."""

    password: Annotated[str, Field(min_length=10, max_length=200)]


@dataclass(frozen=True)
class ConfigurationApi:
    """The operations of this room."""

    store: Store
    clock: Clock
    configuration: Configuration
    secret_fields: Callable[[], dict[str, frozenset[str]]]
    set_password: Callable[[Id, str, Actor], Awaitable[None]]

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        write, see, tune = Action.CONFIGURE, Action.CONFIGURE, Action.TUNE
        config, one = f"{V1}/config", f"{V1}/config/{{kind}}/{{key}}"
        return [
            Operation("GET", config, self.everything, "The configuration", action=tune),
            Operation("GET", f"{config}.toml", self.export, "The same as TOML", action=see),
            Operation("GET", f"{config}/versions", self.versions, "Who changed what", action=tune),
            Operation(
                "POST",
                f"{config}/versions/{{number}}/undo",
                self.undo,
                "Take a version back",
                UndoBody,
                action=tune,
            ),
            Operation("POST", f"{config}/apply", self.apply, "Apply TOML", ApplyBody, action=write),
            Operation("GET", f"{config}/{{kind}}", self.kind, "Objects of a kind", action=tune),
            Operation("GET", one, self.get, "One object", action=tune),
            Operation("PUT", one, self.put, "Make or change", ObjectBody, action=tune),
            Operation("DELETE", one, self.delete, "Delete", query=ReasonQuery, action=write),
            Operation(
                "PUT",
                f"{V1}/agents/{{id}}/password",
                self.password,
                "Set a password; all sessions end",
                PasswordBody,
                status=204,
                action=write,
            ),
        ]

    def _view(self, kind: str, entry: Entry[Object]) -> dict[str, Any]:
        body = body_of(entry.object)
        if isinstance(entry.object, Account):
            hidden = self.secret_fields().get(entry.object.connector, frozenset())
            body["settings"] = {
                name: text.KEPT if name in hidden and value else value
                for name, value in body["settings"].items()
            }
        return {
            "kind": kind,
            "key": entry.object.key,
            "id": entry.id,
            "version": entry.version,
            "body": body,
        }

    async def everything(self, call: Call[Nothing]) -> Any:
        """Return all objects that the actor may see; secrets as ``<kept>``."""
        catalog = self.configuration.catalog
        return {
            "number": catalog.number,
            "objects": [
                self._view(k, e)
                for (k, _), e in sorted(catalog.objects.items())
                if _may_see(call.actor, k)
            ],
        }

    async def kind(self, call: Call[Nothing]) -> Any:
        """Return the objects of one kind."""
        wanted = call.key("kind")
        if wanted not in KINDS:
            raise NotFound("kind")
        _require_sight(call.actor, wanted)
        objects = self.configuration.catalog.objects
        return {
            "objects": [self._view(k, e) for (k, _), e in sorted(objects.items()) if k == wanted]
        }

    async def get(self, call: Call[Nothing]) -> Any:
        """Return one object."""
        at = (call.key("kind"), call.key())
        _require_sight(call.actor, at[0])
        if at not in self.configuration.catalog.objects:
            raise NotFound(at[0])
        return self._view(at[0], self.configuration.catalog.objects[at])

    async def put(self, call: Call[ObjectBody]) -> Any:
        """Make or change an object, under If-Match when given; supervisors change queues."""
        change = Change(call.key("kind"), call.key(), call.body.body, if_match(call.request))
        self._require_for(call.actor, [change])
        result = await self.configuration.change(call.actor, call.body.reason, [change])
        view = await self.get(Call(call.request, call.actor, Nothing(), call.client))
        return {**view, "number": result.number}

    async def delete(self, call: Call[ReasonQuery]) -> Any:
        """Delete an object that nothing refers to."""
        at = (call.key("kind"), call.key())
        if at not in self.configuration.catalog.objects:
            raise NotFound(at[0])
        change = Change(*at, None, if_match(call.request))
        result = await self.configuration.change(call.actor, call.body.reason, [change])
        return _result(result)

    async def versions(self, call: Call[Nothing]) -> Any:
        """Return the newest versions with author, reason and differences."""
        rows = await self.store.read(versions)
        name = self.configuration.catalog.agent_name
        return {"versions": [{**row, "author_name": name(row["author"])} for row in rows]}

    async def undo(self, call: Call[UndoBody]) -> Any:
        """Take back what a version changed; later changes of other fields stay."""
        number = call.key("number")
        known = number.isdecimal() and int(number) <= LAST_VERSION
        rows = await self.store.read(lambda: version(int(number))) if known else []
        if not rows:
            raise NotFound("version")
        catalog = await self.configuration.reload()
        changes = undone(rows[0]["changes"], catalog)
        self._require_for(call.actor, changes)
        return _result(await self.configuration.change(call.actor, call.body.reason, changes))

    def _require_for(self, actor: Actor, changes: Sequence[Change]) -> None:
        """Raise Forbidden unless an actor may make these changes: who tunes may change queues that
        there are, nothing else.
        """
        queues = self.configuration.catalog.queues
        tuning = all(
            one.kind == Queue.kind and one.key in queues and one.body is not None for one in changes
        )
        require(actor, Action.TUNE if tuning else Action.CONFIGURE)

    async def export(self, call: Call[Nothing]) -> web.Response:
        """Return the configuration as TOML."""
        document = text.export(self.configuration.catalog, self.secret_fields())
        return web.Response(text=document, content_type="application/toml")

    async def apply(self, call: Call[ApplyBody]) -> Any:
        """Apply a TOML text; only what it names changes."""
        body = call.body
        catalog = self.configuration.catalog
        wanted = text.changes(body.toml, catalog, prune=body.prune)
        result = await self.configuration.change(
            call.actor,
            body.reason,
            wanted,
            dry_run=body.dry_run,
            based_on=text.based_on(body.toml),
        )
        return _result(result)

    async def password(self, call: Call[PasswordBody]) -> None:
        """Set an agent's password and end all of their sessions."""
        if call.id() not in self.configuration.catalog.agent_by_id:
            raise NotFound("agent")
        await self.set_password(call.id(), call.body.password, call.actor)


def _result(result: Result) -> dict[str, Any]:
    return {"number": result.number, "diff": list(result.diff)}


def _may_see(actor: Actor, kind: str) -> bool:
    """Accounts are for who configures them."""
    return kind != Account.kind or may(actor, Action.CONFIGURE)


def _require_sight(actor: Actor, kind: str) -> None:
    if not _may_see(actor, kind):
        raise Forbidden(Action.CONFIGURE.value)
