"""Files in a folder under random names; rows know their name, type, size and hash.

A file is put first and gets an id; the message that names it attaches it in its own transaction.
Files that nobody attached within a day are swept, and so are bytes without a row: of an upload
whose server died, or whose row could not be stored.
"""

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Row, bindparam, delete, select, update

from madoguchi.clock import Clock
from madoguchi.files.tables import file
from madoguchi.http.problems import Problem
from madoguchi.model.conversation import Part
from madoguchi.model.ids import DOMAIN, Id, is_id, written_at
from madoguchi.security.permissions import NotFound
from madoguchi.store.hot import Bound, Hot
from madoguchi.store.work import Store, Work

LINK_S = 300
ORPHAN_AGE = timedelta(days=1)
SLICE = 500
SNIFFED = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
_ACTIVE = re.compile(r"text/(html|xml|css|.*script)|application/(xml|.*script)|.+[+]xml")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as messages name it."""

    id: Id
    name: str
    media_type: str
    size: int


def safe_name(name: str) -> str:
    """Return a file name without path, control and direction characters, at most 120 long."""
    base = _UNSAFE.sub("_", name).strip(" .") or "file"
    base = base.encode("utf-8", "replace").decode()
    if len(base) <= 120:
        return base
    stem, dot, ending = base.rpartition(".")
    return f"{stem[: 119 - len(ending)]}{dot}{ending}" if dot and len(ending) < 12 else base[:120]


def sniff(head: bytes, name: str) -> str:
    """Return the media type: what the bytes say, else what the name says, never active content."""
    for magic, media_type in SNIFFED:
        if head.startswith(magic):
            return _said(name, media_type) if media_type == "application/zip" else media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return _said(name, "application/octet-stream")


def _said(name: str, otherwise: str) -> str:
    """Return the type that a name's ending says, unless browsers would run or draw it."""
    guessed = mimetypes.guess_type(name)[0] or otherwise
    return otherwise if guessed.startswith("image/") or _ACTIVE.fullmatch(guessed) else guessed


class Files:
    """The store of files of one hub."""

    def __init__(
        self, folder: Path, store: Store, clock: Clock, keys: list[bytes], limit: int
    ) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock
        self._links = URLSafeTimedSerializer(keys, salt="file-link")
        self._arriving: set[Id] = set()
        self._spared: Callable[[], Iterable[Id]] = tuple
        self.limit = limit

    def spare(self, named: Callable[[], Iterable[Id]]) -> None:
        """Keep files that belong to no conversation as long as something else names them."""
        self._spared = named

    async def put(
        self, name: str, chunks: AsyncIterator[bytes], uploaded_by: str, limit: int | None = None
    ) -> StoredFile:
        """Store a stream, of at most ``limit`` bytes (None: as many as an upload has). Raises
        problems: 413 over the limit, 422 for an empty file.
        """
        id = self._clock.new_id()
        self._arriving.add(id)
        try:
            most = self.limit if limit is None else limit
            return await self._put(id, name, chunks, uploaded_by, most)
        finally:
            self._arriving.discard(id)

    async def _put(
        self, id: Id, name: str, chunks: AsyncIterator[bytes], uploaded_by: str, limit: int
    ) -> StoredFile:
        path = self._path(id)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        try:
            size, sha256, head = await self._write(path, chunks, limit)
        except BaseException:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise
        stored = StoredFile(id, safe_name(name), sniff(head, name), size)
        await self._store.write(lambda: self._insert(stored, sha256, uploaded_by))
        return stored

    async def _write(
        self, path: Path, chunks: AsyncIterator[bytes], limit: int
    ) -> tuple[int, str, bytes]:
        size, head, hasher = 0, b"", hashlib.sha256()
        with path.open("xb") as target:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise Problem(
                        413,
                        "too_large",
                        f"a file has at most {limit // (1024 * 1024)} MiB",
                        limit=limit,
                    )
                head = head or chunk[:16]
                hasher.update(chunk)
                await asyncio.to_thread(target.write, chunk)
        if not size:
            raise Problem(422, "empty_file", "the file is empty")
        return size, hasher.hexdigest(), head

    def _insert(self, one: StoredFile, sha256: str, by: str) -> Work[None]:
        yield file.insert().values(
            id=one.id,
            domain=DOMAIN,
            name=one.name,
            media_type=one.media_type,
            size=one.size,
            sha256=sha256,
            uploaded_by=by,
            created_at=self._clock.now(),
        )

    def link(self, id: Id) -> str:
        """Return the token of a link that works for five minutes."""
        return self._links.dumps(id)

    def opened(self, token: str) -> Id:
        """Return the file of a link's token. Raises NotFound."""
        try:
            return str(self._links.loads(token, max_age=LINK_S))
        except BadData as wrong:
            raise NotFound("file") from wrong

    async def find(self, id: Id) -> tuple[Row[Any], Path]:
        """Return a file's row and where its bytes lie. Raises NotFound."""

        def unit() -> Work[Any]:
            return (yield select(file).where(file.c.id == id))

        rows = await self._store.read(unit)
        if not rows:
            raise NotFound("file")
        return rows[0], self._path(id)

    async def sweep(self) -> int:
        """Delete unattached files and bytes without a row after a day; return how many."""
        return await self._sweep_rows() + await self._sweep_folder()

    async def _sweep_rows(self) -> int:
        old = self._clock.now() - ORPHAN_AGE
        spared = file.c.id.not_in(list(self._spared()))
        unbound = (file.c.conversation.is_(None), file.c.created_at < old, spared)
        some = select(file.c.id).where(*unbound).order_by(file.c.created_at).limit(SLICE)

        def unit() -> Work[list[Id]]:
            rows = yield delete(file).where(file.c.id.in_(some), *unbound).returning(file.c.id)
            return [r.id for r in rows]

        total, more = 0, True
        while more:
            gone = await self._store.write(unit)
            for id in gone:
                await asyncio.to_thread(self._path(id).unlink, missing_ok=True)
            total, more = total + len(gone), len(gone) == SLICE
        return total

    async def _sweep_folder(self) -> int:
        """Delete old bytes without a row.

        Bytes that arrive just now are spared, whatever the folder's clock says. Bytes from before
        the first row are left alone, too: a hub that was started on the wrong database must not
        empty the folder.
        """
        first = await self._store.read(_first)
        if first is None:
            return 0
        old = (self._clock.now() - ORPHAN_AGE).timestamp()
        found = await asyncio.to_thread(_old_files, self._folder, first, old)
        gone = 0
        for start in range(0, len(found), SLICE):
            some = [id for id in found[start : start + SLICE] if id not in self._arriving]
            known = await self._store.read(lambda some=some: _known(some))  # type: ignore[misc]
            for id in set(some) - known:
                await asyncio.to_thread(self._path(id).unlink, missing_ok=True)
                gone += 1
        return gone

    def _path(self, id: Id) -> Path:
        return self._folder / id[-2:] / id


def _old_files(folder: Path, first: datetime, before: float) -> list[Id]:
    """Return the ids of files that were begun after a moment and last written before another."""
    found = []
    for path in sorted(folder.glob("*/*")):
        with suppress(FileNotFoundError):
            if is_id(path.name) and written_at(path.name) > first:
                found += [path.name] if path.stat().st_mtime < before else []
    return found


def _first() -> Work[datetime | None]:
    rows = yield select(file.c.created_at).order_by(file.c.created_at).limit(1)
    return rows[0].created_at if rows else None


def _known(ids: Sequence[Id]) -> Work[set[Id]]:
    rows = yield select(file.c.id).where(file.c.id.in_(ids))
    return {r.id for r in rows}


def attach(ids: Sequence[Id], conversation: Id, uploaded_by: str) -> Work[tuple[Part, ...]]:
    """Bind uploaded files to a conversation; return their parts. Raises a 422 problem.

    Only the uploader may attach a file, and only to one conversation.
    """
    parts: list[Part] = []
    for id in ids:
        rows = yield (
            update(file)
            .where(
                file.c.id == id,
                file.c.uploaded_by == uploaded_by,
                (file.c.conversation.is_(None)) | (file.c.conversation == conversation),
            )
            .values(conversation=conversation)
            .returning(file.c.name, file.c.media_type, file.c.size)
        )
        if not rows:
            raise Problem(422, "unknown_file", "a file is not there any more; attach it again")
        row = rows[0]
        parts.append(
            {
                "type": "file",
                "file": id,
                "name": row.name,
                "media_type": row.media_type,
                "size": row.size,
            }
        )
    return tuple(parts)


_BIND = Hot(
    update(file)
    .where(file.c.id == bindparam("b_id", type_=file.c.id.type))
    .values(conversation=bindparam("b_conversation", type_=file.c.conversation.type))
    .inline()
)


def bind_files(messages: Iterable[tuple[Id, Sequence[Part]]]) -> Bound:
    """Return the step that binds the files of new messages to their conversations."""
    rows = [
        {"b_id": part["file"], "b_conversation": conversation}
        for conversation, parts in messages
        for part in parts
        if part.get("type") == "file" and "file" in part
    ]
    return _BIND.each(rows)
