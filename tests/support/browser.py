"""Debian's Chromium under Playwright."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

EXECUTABLE = "/usr/bin/chromium"
PATIENCE_MS = 20_000
"""What a page may need on a machine under load; a test that passes never waits so long."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""A microphone and a camera that everybody may use."""


@asynccontextmanager
async def running_browser(*more: str) -> AsyncIterator[Browser]:
    """Give a headless Chromium and close it afterwards; ``more`` are further flags."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            await browser.close()
