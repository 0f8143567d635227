"""Who waits, by queue and channel, and since when the oldest does."""

from __future__ import annotations

import random

from router.board.waits import Waits


def test_counts_and_the_oldest_follow_who_comes_moves_and_goes() -> None:
    dice, waits = random.Random(7), Waits()  # noqa: S311
    there: dict[str, tuple[str, str, int]] = {}
    for _ in range(2_000):
        item = f"i{dice.randint(0, 40)}"
        if dice.random() < 0.4:
            waits.gone(item)
            there.pop(item, None)
        else:
            place = (dice.choice("ab"), dice.choice(["sms", "chat"]), dice.randint(0, 1_000))
            waits.waits(item, *place)
            there[item] = place
        for queue in "ab":
            found = {name: one for name, one in waits.of(queue).items() if one[0]}
            since: dict[str, list[int]] = {}
            for where, channel, at in there.values():
                if where == queue:
                    since.setdefault(channel, []).append(at)
            assert found == {name: (len(all_), min(all_)) for name, all_ in since.items()}


def test_nothing_new_is_no_change() -> None:
    waits = Waits()
    waits.waits("i", "a", "sms", 5)
    waits.changed.clear()
    waits.waits("i", "a", "sms", 5)
    waits.gone("other")
    assert waits.changed == set()
