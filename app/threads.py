"""
The use-cases are synchronous; this runs them beside the event loop, a bounded number at a time.

A limiter of our own: the default one belongs to Streamlit's static files, and a flood of either must not starve the
other.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

QUICK = 8
"""Database reads: about as many as the pool of connections can serve."""
SLOW = 32
"""Sign-ins and venue calls, most of them waiting for the hash's gate or the network."""
PAST = 4
"""Older candles of the exchange: who scrolls a chart must not stand in the way of who signs in."""
WATCH = 2
"""Looks of whoever watches: they may take as long as a store that is ill, and hold up nobody's page or sign of life."""

_quick = ThreadPoolExecutor(QUICK, "quick")
_slow = ThreadPoolExecutor(SLOW, "slow")
_past = ThreadPoolExecutor(PAST, "past")
_watch = ThreadPoolExecutor(WATCH, "watch")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short piece of *work*."""
    return await asyncio.get_running_loop().run_in_executor(_quick, partial(work, *args, **kwargs))


async def in_past_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *work* that may ask a venue for candles long past."""
    return await asyncio.get_running_loop().run_in_executor(_past, partial(work, *args, **kwargs))


async def in_watch_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *work* that reads everything for whoever watches."""
    return await asyncio.get_running_loop().run_in_executor(_watch, partial(work, *args, **kwargs))


async def in_slow_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *work* that hashes or talks to a venue."""
    return await asyncio.get_running_loop().run_in_executor(_slow, partial(work, *args, **kwargs))
