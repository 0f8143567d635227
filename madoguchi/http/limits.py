"""Token buckets against guessing and flooding; in memory, bounded, per process."""

from collections import OrderedDict

from madoguchi.clock import Clock
from madoguchi.http.problems import Problem


class Limiter:
    """``rate`` acts a second with bursts of ``burst`` for each key; old keys are forgotten."""

    def __init__(self, clock: Clock, *, rate: float, burst: float, keys: int = 50_000) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take from a key's bucket; return 0, or the seconds to wait when it is empty."""
        now = self._clock.monotonic()
        level, at = self._buckets.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        allowed = level >= cost
        self._buckets[key] = (level - cost if allowed else level, now)
        while len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (cost - level) / self._rate

    def require(self, key: str, detail: str) -> None:
        """Raise a 429 problem when the key's bucket is empty."""
        wait = self.take(key)
        if wait > 0:
            raise Problem(429, "too_many", detail, retry_after_s=wait)
