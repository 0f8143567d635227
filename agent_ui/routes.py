"""REST of the desk itself: sign-in, who am I, files, dead letters, the audit trail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from aiohttp import BodyPartReader, web
from pydantic import Field

from agent_ui import preferences
from agent_ui.preferences import PreferencesBody
from connectors.registry import Registry
from madoguchi import __version__
from madoguchi.clock import Clock
from madoguchi.configuration.service import Configuration
from madoguchi.conversations.routes import TEXT_LIMIT, V1
from madoguchi.conversations.visibility import seen_by
from madoguchi.files.service import Files
from madoguchi.http import table
from madoguchi.http.auth import COOKIE, SESSION
from madoguchi.http.limits import Limiter
from madoguchi.http.problems import Problem
from madoguchi.http.server import plain
from madoguchi.http.table import Body, Call, Nothing, Operation, encode
from madoguchi.model.dead_letters import DeadReason
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.security.audit import record, trail
from madoguchi.security.permissions import Action, NotFound
from madoguchi.security.sessions import Sessions, Throttled, csrf_of
from madoguchi.store import inbox
from madoguchi.store.work import Store, Work

UPLOAD_DEADLINE_S = 300.0


class SignInBody(Body):
    """A sign-in name and a password."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class ReplayBody(Body):
    """Dead letters to run again."""

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=2**53)]], Field(min_length=1, max_length=1000)
    ]


class PageQuery(Body):
    """A page of a list."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True)
class DeskApi:
    """The operations of this room."""

    store: Store
    clock: Clock
    configuration: Configuration
    sessions: Sessions
    registry: Registry
    files: Files
    limiter: Limiter
    secure: bool
    ended: Callable[[Id], None]

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        session, letters = f"{V1}/session", f"{V1}/deadletters"
        return [
            Operation("POST", session, self.sign_in, "Sign in", SignInBody, public=True),
            Operation("GET", session, self.me, "Who am I"),
            Operation("DELETE", session, self.sign_out, "Sign this browser out", status=204),
            Operation(
                "PUT",
                f"{V1}/agents/me/preferences",
                self.prefer,
                "Change one's own keys and the order of the desk",
                PreferencesBody,
                status=204,
            ),
            Operation("POST", f"{V1}/files", self.upload, "Upload a file", status=201, upload=True),
            Operation("GET", f"{V1}/files/{{id}}", self.download, "A short link to a file"),
            Operation(
                "GET",
                letters,
                self.dead,
                "Events that could not be understood",
                query=PageQuery,
                action=Action.DEAD_LETTERS,
            ),
            Operation(
                "POST",
                f"{letters}/replay",
                self.replay,
                "Run dead letters again, marked late",
                ReplayBody,
                action=Action.DEAD_LETTERS,
                within=True,
            ),
            Operation(
                "GET",
                f"{V1}/audit",
                self.audit,
                "Who did what, newest first",
                query=PageQuery,
                action=Action.AUDIT,
            ),
        ]

    async def sign_in(self, call: Call[SignInBody]) -> web.Response:
        """Open a session. 401 ``wrong_password`` for a wrong name as well."""
        self.limiter.require(f"sign-in:{call.client}", "too many attempts from this address")
        name = call.body.name.strip().lower()
        entry = self.configuration.catalog.agents.get(name)
        active = entry is not None and entry.object.active
        try:
            token = await self.sessions.sign_in(
                entry.id if entry and active else None,
                call.body.password,
                plain(call.request.headers.get("User-Agent", "")),
                name=name,
                address=call.client,
            )
        except Throttled as wait:
            raise Problem(
                429, "too_many", f"too many wrong passwords; {wait}", retry_after_s=wait.after_s
            ) from wait
        if token is None or entry is None:
            raise Problem(401, "wrong_password", "the name or the password is wrong")
        actor = self.configuration.catalog.actor(entry.id)
        if actor is None:
            raise Problem(401, "wrong_password", "the name or the password is wrong")
        await self._noted(actor, "session.open", call.client)
        answer = web.Response(
            body=encode({"agent": entry.id, "csrf": csrf_of(token)}),
            content_type="application/json",
        )
        answer.set_cookie(
            COOKIE, token, httponly=True, samesite="Lax", secure=self.secure, path="/"
        )
        return answer

    async def sign_out(self, call: Call[Nothing]) -> web.Response:
        """End this browser's session and its sockets; the presence stays as it is."""
        session = call.request.get(SESSION)
        if session is not None:
            await self.sessions.end(session.id)
            self.ended(session.id)
            await self._noted(call.actor, "session.end", call.client)
        answer = web.Response(status=204)
        answer.del_cookie(COOKIE, path="/")
        return answer

    async def _noted(self, actor: Actor, action: str, client: str) -> None:
        now = self.clock.now()

        def unit() -> Work[None]:
            yield record(actor, action, f"agent:{actor.id}", {}, now, client)

        await self.store.write(unit)

    async def me(self, call: Call[Nothing]) -> Any:
        """Return the actor, the token against forgery, and what pages need of the hub."""
        catalog = self.configuration.catalog
        entry = catalog.agent_by_id.get(call.actor.id)
        session = call.request.get(SESSION)
        if entry is None or session is None:
            raise Problem(401, "not_signed_in", "sign in first")
        return {
            "preferences": await self.store.read(lambda: preferences.load(entry.id)),
            "csrf": session.csrf,
            "me": {
                "id": entry.id,
                "key": entry.object.key,
                "name": entry.object.name,
                "language": entry.object.language,
                "roles": entry.object.roles,
                "queues": sorted(call.actor.queues),
                "teams": sorted(call.actor.teams),
                "units": entry.object.units,
            },
            "hub": self._hub(),
        }

    async def prefer(self, call: Call[PreferencesBody]) -> None:
        """Keep what is given of one's own preferences; what is not given stays as it is."""
        me, now = call.actor.id, self.clock.now()
        changed = call.body.model_dump(exclude_none=True)
        await self.store.write(lambda: preferences.save(me, changed, now))

    def _hub(self) -> dict[str, Any]:
        catalog = self.configuration.catalog
        return {
            "name": "Madoguchi",
            "version": __version__,
            "queues": [
                {
                    "key": key,
                    **e.object.names,
                    "service_level_s": e.object.service_level_s,
                    "wrap_up": [{"key": c.key, **c.names} for c in e.object.wrap_up],
                    "wrap_up_s": e.object.wrap_up_s,
                    "callback": {
                        "retry_s": e.object.callback.retry_s,
                        "attempts": e.object.callback.attempts,
                    },
                }
                for key, e in sorted(catalog.queues.items())
            ],
            "skills": [{"key": key, **e.object.names} for key, e in sorted(catalog.skills.items())],
            "accounts": [
                {
                    "id": one.account.id,
                    "key": one.account.key,
                    "name": one.account.name,
                    "name_en": one.account.name_en,
                    "channel": one.channel,
                    "paused": one.account.paused,
                    "calls": one.makes_calls,
                    "talks": one.takes_calls,
                    "reaches": sorted(one.capabilities.reaches),
                    "capabilities": {
                        "text_limit": one.capabilities.text_limit,
                        "files": one.capabilities.files,
                        "typing": one.capabilities.typing,
                        "delivery_receipts": one.capabilities.delivery_receipts,
                        "read_receipts": one.capabilities.read_receipts,
                        "segments": one.channel == "sms",
                    },
                }
                for one in self.registry
            ],
            "upload_limit": self.files.limit,
            "text_limit": TEXT_LIMIT,
        }

    async def upload(self, call: Call[Nothing]) -> Any:
        """Store a file for a conversation that the agent may see."""
        name, chunks = await file_of(call.request)
        async with asyncio.timeout(UPLOAD_DEADLINE_S):
            return await self.files.put(name, chunks, call.actor.id)

    async def download(self, call: Call[Nothing]) -> web.Response:
        """Redirect to a link of five minutes, if the agent may see the file's conversation."""
        row, _ = await self.files.find(call.id())
        if row.conversation is not None:
            await self.store.read(lambda: seen_by(call.actor, row.conversation))
        elif row.uploaded_by != call.actor.id:
            raise NotFound("file")
        return web.Response(
            status=302, headers={"Location": f"/files/{self.files.link(call.id())}"}
        )

    async def dead(self, call: Call[PageQuery]) -> Any:
        """Return dead letters with account, lane, code and detail of why, and the beginning."""
        body = call.body
        rows = await self.store.read(lambda: inbox.dead(body.limit, body.after))
        return {"deadletters": [self._letter(row) for row in rows]}

    def _letter(self, row: Any) -> dict[str, Any]:
        entry = self.configuration.catalog.account_by_id.get(row.account)
        names = entry.object.names if entry else {"name": "", "name_en": ""}
        return {
            "id": row.id,
            "account": entry.object.key if entry else "",
            "account_name": names["name"],
            "account_name_en": names["name_en"],
            "event_id": row.event_id,
            "kind": row.kind,
            "lane": row.lane,
            "received_at": row.received_at,
            "attempts": row.attempts,
            **asdict(DeadReason.read(row.error)),
            "running": self.registry.by_id(row.account) is not None,
            "head": row.body[:500].decode("utf-8", "replace"),
        }

    async def replay(self, call: Call[ReplayBody]) -> Any:
        """Run dead letters again; what they become is marked late."""
        ids, now = call.body.ids, self.clock.now()

        def unit() -> Work[int]:
            count = yield from inbox.replay(ids)
            yield record(call.actor, "deadletters.replay", "inbox", {"ids": ids}, now, call.client)
            return count

        return {"replayed": await self.store.write(call.once(unit))}

    async def audit(self, call: Call[PageQuery]) -> Any:
        """Return the newest acts first."""
        before = call.body.after or None
        rows = await self.store.read(lambda: trail(call.body.limit, before))
        name = self.configuration.catalog.agent_name
        return {
            "acts": [
                {
                    "id": r.id,
                    "at": r.at,
                    "actor": r.actor,
                    "actor_name": name(r.actor),
                    "action": r.action,
                    "object": r.object,
                    "detail": r.detail,
                    "client": r.client,
                }
                for r in rows
            ]
        }


async def file_of(request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
    """Return the name and the stream of a multipart upload's field ``file``."""
    if not request.content_type.startswith("multipart/"):
        raise Problem(415, "not_multipart", "send multipart/form-data with a field 'file'")
    try:
        async with asyncio.timeout(table.READ_DEADLINE_S):
            reader = await request.multipart()
            part = await reader.next()
    except (ValueError, RuntimeError, AssertionError) as wrong:
        raise Problem(400, "bad_multipart", "the upload cannot be read") from wrong
    if not isinstance(part, BodyPartReader) or part.name != "file":
        raise Problem(400, "bad_multipart", "the first field must be 'file'")

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while chunk := await part.read_chunk(65_536):
                yield chunk
            await reader.next()
        except (ValueError, RuntimeError, AssertionError) as wrong:
            raise Problem(400, "bad_multipart", "the upload was cut off") from wrong

    return part.filename or "file", chunks()
