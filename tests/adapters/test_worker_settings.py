"""What is said of workers: one word for a deployment, an address that is a budget's name, a most of accounts."""

import pytest

from lib.bootstrap.starting import refuse_foreign_address
from lib.domain.errors import Halt
from lib.worker_settings import MOST_ACCOUNTS, Workers, read_workers


def test_said_nothing_the_trader_serves_every_account_from_wherever_the_machine_routes() -> None:
    assert read_workers({}) == read_workers({"WORKERS": "", "WORKER_ADDRESS": " "}) == Workers(False, "", MOST_ACCOUNTS)
    assert read_workers({}).local_ip == ""


@pytest.mark.parametrize(
    ("address", "local_ip"), [("10.0.0.7", "10.0.0.7"), ("2001:db8::7", "2001:db8::7"), ("gateway-b", ""), ("", "")]
)
def test_an_address_names_a_budget_and_is_left_from_where_it_is_one(address: str, local_ip: str) -> None:
    found = read_workers({"WORKERS": "true", "WORKER_ADDRESS": address, "WORKER_CAPACITY": "0"})
    assert (found, found.local_ip) == (Workers(True, address, 0), local_ip)


@pytest.mark.parametrize(
    "said",
    [
        {"WORKERS": "yes"},
        {"WORKER_ADDRESS": "a b"},
        {"WORKER_ADDRESS": "{x}"},
        {"WORKER_ADDRESS": "x" * 65},
        {"WORKER_CAPACITY": "-1"},
        {"WORKER_CAPACITY": "many"},
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(said: dict[str, str]) -> None:
    with pytest.raises(Halt, match=next(iter(said))):
        read_workers(said)


@pytest.mark.enable_socket
def test_an_address_of_another_machine_is_refused_before_anything_is_called_from_it() -> None:
    for own in ("", "127.0.0.9"):
        refuse_foreign_address(own)
    with pytest.raises(Halt, match=r"WORKER_ADDRESS=192\.0\.2\.1 is no address of this machine"):
        refuse_foreign_address("192.0.2.1")
