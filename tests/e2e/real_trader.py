"""
The trader as it is deployed for real money, with a simulator in the place of Bybit's main site.

No setting can do this, and none shall: the list of Bybit's hosts is changed in this process alone, before it starts.
"""

from collections.abc import MutableMapping
from dataclasses import replace
from typing import cast

from lib.domain.bybit_sites import SITES, Site
from tests.torture import trader
from tests.torture.trader import TraderPlan

STANDS_FOR_BYBIT = "TEST_BYBIT"


def run(plan: TraderPlan) -> None:
    """Be that trader, to the end of the process."""
    url = plan.env[STANDS_FOR_BYBIT]
    stream = f"ws{url.removeprefix('http')}"
    cast("MutableMapping[str, Site]", SITES)["com"] = replace(SITES["com"], rest=url, stream=stream)
    trader.run(plan)
