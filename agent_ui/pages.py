"""The built pages, and stored files behind their short links."""

import hashlib
from importlib.resources import files as resources
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from madoguchi.files.service import Files

STATIC = Path(str(resources("agent_ui"))) / "static"
YEAR = "public, max-age=31536000, immutable"
PROGRAMS = ("/api/", "/hooks/", "/live/", "/widget/", "/assets/", "/files/")
FOREIGN = {
    "Cache-Control": "public, max-age=300",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
FILE_CSP = "default-src 'none'; sandbox"


class PagesMissing(Exception):
    """The web pages have not been built."""


def check() -> None:
    """Raise PagesMissing when the built pages are not there."""
    if not (STATIC / "desk" / "index.html").is_file():
        raise PagesMissing("the web pages are not built: run `make setup`")


@web.middleware
async def strays(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show a person at an unknown address the desk's page for it; programs get the plain 404."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        wanted = request.headers.get("Accept", "")
        unknown = request.match_info.http_exception is not None
        ours = request.path.startswith(PROGRAMS)
        if request.method != "GET" or not unknown or ours or "text/html" not in wanted:
            raise
    return _desk(404)


def _desk(status: int = 200) -> web.FileResponse:
    """Return the desk's page; it is never cached, its assets are."""
    headers = {"Cache-Control": "no-cache"}
    return web.FileResponse(STATIC / "desk" / "index.html", status=status, headers=headers)


class Pages:
    """The desk's single page, its assets, the widget's script, files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes; the desk's own paths all give its one page."""
        paths = ["/", "/login", "/inbox", "/board", "/calls", "/customers", "/settings", "/admin"]
        desk = [web.get(path, self.desk) for path in paths]
        desk += [web.get(f"{path}/{{rest:.*}}", self.desk) for path in paths[2:]]
        return [
            *desk,
            web.get("/favicon.svg", self.favicon),
            web.get("/widget.js", self.widget),
            web.get("/widget-call.js", self.widget_call),
            web.get("/assets/{name}", self.asset),
            web.get("/files/{token}", self.file),
        ]

    async def desk(self, request: web.Request) -> web.StreamResponse:
        """Return the desk's page."""
        return _desk()

    async def favicon(self, request: web.Request) -> web.StreamResponse:
        """Return the icon of the tab."""
        return web.FileResponse(STATIC / "desk" / "favicon.svg")

    async def asset(self, request: web.Request) -> web.StreamResponse:
        """Return a hashed asset, for a year."""
        name = request.match_info["name"]
        path = STATIC / "desk" / "assets" / name
        if "/" in name or name.startswith(".") or len(name) > 200 or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": YEAR})

    async def widget(self, request: web.Request) -> web.StreamResponse:
        """Return the widget's loader for foreign pages."""
        return web.FileResponse(STATIC / "widget" / "widget.js", headers=FOREIGN)

    async def widget_call(self, request: web.Request) -> web.StreamResponse:
        """Return the widget's part that makes calls: a module, which browsers fetch by CORS."""
        headers = {**FOREIGN, "Access-Control-Allow-Origin": "*"}
        return web.FileResponse(STATIC / "widget" / "widget-call.js", headers=headers)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return a stored file, always as an attachment, never as a page of ours."""
        row, path = await self._files.find(self._files.opened(request.match_info["token"]))
        if not path.is_file():
            raise web.HTTPNotFound
        name = hashlib.sha256(row.id.encode()).hexdigest()[:8]
        ascii_name = "".join(c if c.isalnum() or c in "._-" else "_" for c in row.name)
        ascii_name = ascii_name.encode("ascii", "replace").decode().replace("?", "_") or name
        answer = web.FileResponse(path)
        answer.content_type = row.media_type
        answer.headers["Content-Disposition"] = (
            f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{_quoted(row.name)}"
        )
        answer.headers["Content-Security-Policy"] = FILE_CSP
        answer.headers["Cache-Control"] = "private, max-age=300"
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return answer


def _quoted(name: str) -> str:
    return "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in name.encode())
