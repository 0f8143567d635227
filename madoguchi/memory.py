"""The garbage collector's rounds, kept out of the way of what cannot wait."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """Spare the collector what lasts as long as the process: a full round over it would stop
    everything for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@contextmanager
def growing() -> Iterator[None]:
    """Hold the collector while much is made that stays: going over all of it again and again takes
    as long as making it.
    """
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()
