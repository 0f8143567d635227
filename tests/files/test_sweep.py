"""Files that belong to nobody go after a day; what arrives or is attached stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from madoguchi.clock import ManualClock
from madoguchi.files.service import Files, StoredFile, attach
from madoguchi.model.ids import Id
from madoguchi.store.work import Store, Unavailable, Work
from tests.support.waiting import wait_for

DAY = 86_400
ME = "01980000-0000-7000-8000-00000000000a"


async def bytes_of(text: bytes) -> AsyncIterator[bytes]:
    """Stream one chunk."""
    yield text


class Failing(Files):
    """A store of files whose rows cannot be written."""

    def _insert(self, one: StoredFile, sha256: str, by: str) -> Work[None]:
        raise Unavailable("the database is out of reach")


class Cupboard:
    """Files under a clock that the test drives; bytes are as old as that clock says."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder / "files"
        self.store = store
        self.clock = ManualClock()
        self.files = self.made(Files)

    def made(self, kind: type[Files]) -> Files:
        """Return another process's store of files."""
        return kind(self.folder, self.store, self.clock, [b"key" * 11], 1_000_000)

    async def put(self, files: Files | None = None) -> Id:
        """Upload one file."""
        self.clock.advance(1)
        stored = await (files or self.files).put("a.txt", bytes_of(b"text"), ME)
        self.touch()
        return stored.id

    def touch(self) -> None:
        """Give fresh bytes the time of the hub's clock."""
        now = self.clock.now().timestamp()
        for path in self.folder.rglob("*"):
            if path.is_file() and path.stat().st_mtime > now + DAY:
                os.utime(path, (now, now))

    def there(self) -> set[str]:
        """Return the names of what lies in the folder."""
        return {p.name for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture
async def cupboard(tmp_path: Path, store: Store) -> Cupboard:
    """An empty one."""
    return Cupboard(tmp_path, store)


async def test_unattached_files_go_after_a_day(cupboard: Cupboard) -> None:
    kept, lost = await cupboard.put(), await cupboard.put()
    conversation = cupboard.clock.new_id()
    await cupboard.store.write(lambda: attach([kept], conversation, ME))
    cupboard.clock.advance(DAY - 60)
    assert await cupboard.files.sweep() == 0
    cupboard.clock.advance(120)
    assert await cupboard.files.sweep() == 1
    assert cupboard.there() == {kept}
    assert lost not in cupboard.there()


async def test_bytes_without_a_row_go_after_a_day(cupboard: Cupboard) -> None:
    kept = await cupboard.put()
    conversation = cupboard.clock.new_id()
    await cupboard.store.write(lambda: attach([kept], conversation, ME))
    with pytest.raises(Unavailable):
        await cupboard.put(cupboard.made(Failing))
    cupboard.touch()
    assert len(cupboard.there()) == 2, "the commit may have happened: nobody knows"
    note = cupboard.folder / "README"
    note.write_text("not ours")
    os.utime(note, (0, 0))
    cupboard.clock.advance(DAY - 60)
    assert await cupboard.files.sweep() == 0
    cupboard.clock.advance(120)
    assert await cupboard.files.sweep() == 1
    assert cupboard.there() == {kept, "README"}


async def test_an_upload_is_never_swept(cupboard: Cupboard) -> None:
    """Even when it lasts for days, or the folder's clock is years behind."""
    first = await cupboard.put()
    await cupboard.store.write(lambda: attach([first], cupboard.clock.new_id(), ME))
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"one"
        await go_on.wait()
        yield b"two"

    cupboard.clock.advance(1)
    upload = asyncio.create_task(cupboard.files.put("slow.txt", slow(), ME))
    await wait_for(lambda: cupboard.there() - {first}, "it has begun")
    arriving = next(p for p in cupboard.folder.rglob("*") if p.name in cupboard.there() - {first})
    os.utime(arriving, (0, 0))
    cupboard.clock.advance(3 * DAY)
    assert await cupboard.files.sweep() == 0
    go_on.set()
    stored = await upload
    assert stored.size == 6
    assert stored.id in cupboard.there()


async def test_a_wrong_database_empties_no_folder(cupboard: Cupboard) -> None:
    """A hub that was started on an empty database knows none of the files."""
    await cupboard.put(cupboard.files)
    stranger = cupboard.folder / "aa" / cupboard.clock.new_id()
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"from before")
    os.utime(stranger, (0, 0))
    cupboard.clock.advance(2 * DAY)
    await cupboard.files.sweep()
    cupboard.clock.advance(2 * DAY)
    assert await cupboard.files.sweep() == 0
    assert cupboard.there() == {stranger.name}
