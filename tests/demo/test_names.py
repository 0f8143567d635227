"""The demo company can be read in both languages."""

from __future__ import annotations

import re
from pathlib import Path

from madoguchi.app import running
from madoguchi.configuration.kinds import Queue
from madoguchi.configuration.queue_parts import Named
from madoguchi.demo.company import open_doors
from tests.support.hubs import settings_for
from tests.support.ports import free_port

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


async def test_whatever_has_a_name_has_one_for_each_reader(tmp_path: Path) -> None:
    async with running(settings_for(tmp_path, free_port())) as hub:
        await open_doors(hub)
        objects = [entry.object for entry in hub.configuration.catalog.objects.values()]
    named: list[Named] = [each for each in objects if isinstance(each, Named)]
    named += [code for each in objects if isinstance(each, Queue) for code in each.wrap_up]
    assert len(named) > 14
    assert [each.name for each in named if not JAPANESE.search(each.name)] == []
    assert [each.name for each in named if not each.name_en] == []
    assert [each.name_en for each in named if JAPANESE.search(each.name_en)] == []
