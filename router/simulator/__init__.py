"""``madoguchi simulate``: the product's own engine on a scenario under a virtual clock."""

from router.simulator.run import explained, run
from router.simulator.scenario import BadScenario, Scenario, read

__all__ = ["BadScenario", "Scenario", "explained", "read", "run"]
