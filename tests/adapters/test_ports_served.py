"""
Who serves a port says so: an adapter inherits it, and no method of a port is left to its empty body.

An inherited `...` answers None instead of failing. mypy refuses such an object where it sees the class itself; here
every class that serves a port is looked at, fakes included.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import lib.adapters
import lib.ports
import lib.replay
import lib.simulator
import tests.fakes
import tests.worlds
from lib.ports.secrets import PasswordHasher

SERVED = ["lib.ports.analyst", "lib.ports.exchange", "lib.ports.market", "lib.ports.secrets"]
"""The ports whose adapters must be found by their bases."""
IN_A_TABLE = {"AnalystProfiles"}
"""Served by the database's adapters."""


def classes_of(package: object) -> Iterator[type]:
    """Every class made in *package*, whatever its depth."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):  # type: ignore[attr-defined]
        module = importlib.import_module(found.name)
        for _, made in inspect.getmembers(module, inspect.isclass):
            if made.__module__ == module.__name__:
                yield made


def is_port(found: type) -> bool:
    return bool(vars(found).get("_is_protocol", False))


def members(port: type) -> set[str]:
    """The methods and properties of *port*; what it only annotates is set by its servers' `__init__`."""
    return {
        name
        for name, made in vars(port).items()
        if not name.startswith("_") and (inspect.isfunction(made) or isinstance(made, property))
    }


SERVERS = [
    made
    for package in (lib.adapters, lib.simulator, lib.replay, tests.fakes, tests.worlds)
    for made in classes_of(package)
    if not is_port(made) and any(is_port(base) for base in made.__mro__)
]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
def test_who_serves_a_port_leaves_no_method_of_it_empty(server: type) -> None:
    for port in filter(is_port, server.__mro__):
        own = {name for base in server.__mro__ if not is_port(base) for name in vars(base)}
        assert members(port) <= own, f"{server.__name__} leaves parts of {port.__name__} empty"


def test_every_port_of_venue_market_analyst_and_secrets_has_an_adapter_that_inherits_it() -> None:
    ports = {port for port in classes_of(lib.ports) if is_port(port) and port.__module__ in SERVED}
    adapters = [made for made in SERVERS if made.__module__.startswith("lib.adapters.")]
    served = {base for made in adapters for base in made.__mro__}
    assert {port.__name__ for port in ports - served} <= IN_A_TABLE
    assert len(ports) >= 15


def test_a_method_left_out_is_found() -> None:
    class Half(PasswordHasher):
        def hash(self, password: str) -> str:
            return password

    with pytest.raises(AssertionError, match="Half leaves parts of PasswordHasher"):
        test_who_serves_a_port_leaves_no_method_of_it_empty(Half)
