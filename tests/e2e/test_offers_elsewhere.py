"""Work that is offered while an agent looks at another page than their conversations."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House
from tests.e2e.test_accessible import clean

pytestmark = pytest.mark.browser


async def test_an_offer_comes_to_whatever_page_the_agent_looks_at(house: House) -> None:
    ann = await house.agent("ann")
    await ann.available()
    await ann.page.keyboard.press("g")
    await ann.page.keyboard.press("p")
    await expect(ann.page).to_have_url(f"{house.url}/phone/recent")
    assert await house.here.sms("+819055500187", "ふたが割れていました") < 300
    await expect(ann.offer).to_be_visible()
    await clean(ann.page, "an offer on the Phone page")
    await ann.page.keyboard.press("F2")
    await expect(ann.page).to_have_url(re.compile("/inbox/open/"))
    await expect(ann.offer).to_have_count(0)
    await expect(ann.page.get_by_text("ふたが割れていました").first).to_be_visible()
