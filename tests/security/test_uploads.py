"""Files and texts of strangers are data: never a page, never a path, never a script."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from madoguchi.files.service import safe_name, sniff
from tests.security.test_matrix import put_file
from tests.support.hubs import Widget, hub_running
from tests.support.raw import exchange, request
from tests.support.waiting import wait_for
from tests.support.worlds import World, world

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
ACTIVE = {
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/javascript",
    "text/xml",
    "application/xml",
    "application/javascript",
}
NAMES = [
    ".htaccess",
    "\u200b.htaccess",
    "../../x",
    "..\\..\\x",
    "con",
    "a.php\x00.png",
    "x\u202egnp.exe",
    "a\r\nSet-Cookie: a=b",
    "=HYPERLINK(1)",
    "x" * 300 + ".txt",
    "名前.pdf",
    " . ",
    "",
    "\ud800.txt",
    '"; filename="evil.html',
    "x.html",
    "x.svg",
    "x.xhtml",
    "%2e%2e%2fx",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_made_safe(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 120
    assert not set(safe) & set("/\\\x00\r\n\u200b\u202e\ud800")
    assert not safe.startswith(".")
    safe.encode()


@pytest.mark.parametrize(
    "name", ["x.html", "x.svg", "x.xhtml", "x.js", "x.xml", "x.png", "x", "x.htm"]
)
@pytest.mark.parametrize("head", [SVG, HTML, b"PK\x03\x04" + HTML, b"GIF89a" + HTML, b"\x00"])
def test_no_active_type_is_told(name: str, head: bytes) -> None:
    assert sniff(head, name) not in ACTIVE


async def fetched(one: World, id: str) -> tuple[aiohttp.ClientResponse, bytes]:
    """Follow the link of a file."""
    assert one.boss.http is not None
    async with one.boss.http.get(f"{one.here.url}/api/v1/files/{id}") as answer:
        return answer, await answer.read()


async def test_every_file_comes_back_as_an_attachment(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for name in [*NAMES[:5], *NAMES[8:10], "名前.pdf", "x.html", "x.svg"]:
            data = SVG if name.endswith("svg") else HTML
            id = await put_file(one.boss, name or "x", data)
            answer, body = await fetched(one, id)
            assert (answer.status, body) == (200, data)
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert answer.content_type not in ACTIVE
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"].startswith("private")
        kept = [p.relative_to(tmp_path / "files") for p in (tmp_path / "files").rglob("*")]
        assert all(len(p.parts) <= 2 and ".." not in p.parts for p in kept)
        assert not [p for p in kept if p.suffix]


async def test_links_are_signed_and_short(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        id = await put_file(one.boss)
        token = one.here.hub.files.link(id)
        body, _, signature = token.rpartition(".")
        forged = f"{body}.{signature[::-1]}"
        for wrong in (id, forged, f"{token}x", f"x{token}", "a.b.c"):
            assert (await exchange(one.here.port, request("GET", f"/files/{wrong}"))).status == 404
        assert (await exchange(one.here.port, request("GET", f"/files/{token}"))).status == 200


async def test_files_of_another_visitor_cannot_be_sent(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        mine, other = await Widget(here).start(), await Widget(here).start()
        status, file = await other.upload("a.txt", b"theirs")
        assert status == 201
        assert (await mine.send("look", files=[file["id"]]))["code"] == "unknown_file"
        assert await other.send("look", files=[file["id"]]) == {"ok": True}
        mine_token, mine.token = mine.token, "nonsense"
        assert (await mine.upload("a.txt", b"x"))[0] == 401
        mine.token = mine_token
        await mine.close()
        await other.close()


async def test_a_visitor_never_gets_the_file_of_a_note(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        widget = await Widget(here).start()
        await widget.send("hello")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        path = f"/conversations/{offer['conversation']}/messages"
        secret, public = await put_file(ann, "secret.txt"), await put_file(ann, "public.txt")
        await ann.call("POST", path, {"mode": "note", "text": "", "files": [secret]})
        await ann.call("POST", path, {"mode": "reply", "text": "", "files": [public]})
        assert (await widget.rest("GET", f"/files/{public}"))[0] == 200
        assert (await widget.rest("GET", f"/files/{secret}"))[0] == 404
        await widget.close()


XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    '"><svg onload=alert(1)>',
    "{{constructor.constructor('alert(1)')()}}",
    "</script><script>alert(1)</script>",
    '=HYPERLINK("http://evil")',
    "\u202e\u2066evil\u2069",
    "\x1b[31mred\r\nX-Injected: 1",
]


async def test_strange_texts_pass_through_as_data(tmp_path: Path, database: str) -> None:
    async with world(tmp_path, database) as one:
        conversation = f"/conversations/{one.conversation}"
        for text in XSS:
            await one.here.sms("+819055500187", text)
            note = {"mode": "note", "text": text}
            said = await one.boss.call("POST", f"{conversation}/messages", note)
            assert said["parts"] == [{"type": "text", "text": text}]
            await one.boss.call("PUT", f"{conversation}/subject", {"subject": text})
            shown = await one.boss.call("GET", conversation)
            assert shown["subject"] == text
            named = await one.boss.call("PUT", f"/customers/{one.customer}", {"name": text})
            assert named["name"] == text
        path = f"{conversation}/timeline?limit=200"

        async def all_there() -> bool:
            entries = (await one.boss.call("GET", path))["entries"]
            received = {e["parts"][0]["text"] for e in entries if e["author"] == "customer"}
            return set(XSS) <= received

        await wait_for(all_there, "every text is in the timeline as it was sent")
        assert one.boss.http is not None
        async with one.boss.http.get(f"{one.here.url}/api/v1{path}") as answer:
            assert answer.content_type == "application/json"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
