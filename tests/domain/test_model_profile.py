"""Models of a list: what a profile may say, where a person may point it, and in which order models are asked."""

import ipaddress
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain import reason_codes as codes
from lib.domain.model_profile import (
    KeptModel,
    ModelProfile,
    ModelSeal,
    endpoint_flaw,
    flaw_of,
    goes_on,
    is_chain,
    is_near_host,
    is_outer,
    part_of,
    seal_of,
)
from lib.domain.pricing import AnalystPrices
from lib.domain.reason import Reason

PRICED = AnalystPrices(Decimal(1), Decimal(2))
LISTED = ModelProfile("fast", "Fast", "https://api.example.com/v1", "gpt-fast", PRICED)
OWN = replace(LISTED, name="own/mine")
NOBODYS: frozenset[str] = frozenset()


def test_a_plain_profile_has_no_flaw() -> None:
    assert flaw_of(LISTED) == ""
    assert flaw_of(OWN, NOBODYS) == ""
    assert (LISTED.is_own, OWN.is_own, LISTED.host) == (False, True, "api.example.com")
    assert seal_of(KeptModel(OWN, 7, "sealed", 3)) == ModelSeal(7, "own/mine", OWN.base_url, 3)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"name": "Fast"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a" * 36}, "name"),
        ({"name": "default"}, "name"),
        ({"name": "own/mine"}, "name"),
        ({"name": "fаst"}, "name"),  # a Cyrillic а
        ({"shown": " "}, "shown"),
        ({"shown": "x" * 61}, "shown"),
        ({"shown": "a​b"}, "shown"),
        ({"model": ""}, "model"),
        ({"model": "gpt fast"}, "model"),
        ({"model": "x" * 101}, "model"),
        ({"base_url": "https://me:pass@api.example.com/v1"}, "url"),
        ({"base_url": "http://api.example.com/v1"}, "https"),
        ({"prices": AnalystPrices(Decimal(-1), Decimal(2))}, "price"),
        ({"prices": AnalystPrices(Decimal("NaN"), Decimal(2))}, "price"),
        ({"prices": AnalystPrices(Decimal(1), Decimal("10000.1"))}, "price"),
        ({"prices": AnalystPrices(Decimal(1), Decimal(2), Decimal("0.0000001"))}, "price"),
        ({"prices": AnalystPrices(Decimal(1), Decimal(2), Decimal("0.5"))}, ""),
        ({"day_usd": Decimal(-1)}, "budget"),
        ({"day_usd": Decimal("Infinity")}, "budget"),
        ({"day_usd": Decimal(5)}, ""),
        ({"day_usd": Decimal(5), "prices": AnalystPrices()}, "uncounted"),
        ({"day_usd": Decimal(5), "prices": AnalystPrices(free=True)}, ""),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(change: dict[str, object], flaw: str) -> None:
    assert flaw_of(replace(LISTED, **change)) == flaw  # type: ignore[arg-type]


def test_a_persons_model_is_named_own_and_the_operators_never() -> None:
    assert flaw_of(LISTED, NOBODYS) == "name"
    assert flaw_of(OWN) == "name"


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "ftp://api.example.com/v1", "https://", "https:///v1", "https://a b/v1",
        "https://api.example.com/v1?key=1", "https://api.example.com/v1#x", "https://api.example.com:0/v1",
        "https://api.example.com:99999/v1", "https://api.example.com:x/v1", "https://api.example.com/v1/chat/completions",
        "https://127.1/v1", "https://2130706433/v1", "https://0x7f.0x1/v1", "https://127.0.0.1%2e/v1",
        "https://api.example.com\\@127.0.0.1/v1", "https://[::1/v1", "https://ex" + "a" * 200,
        "https://exämple.com/v1",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_provider_is_refused_to_everybody(url: str) -> None:
    assert endpoint_flaw(url, None) == "url"
    assert endpoint_flaw(url, NOBODYS) == "url"


INNER = [
    "https://localhost/v1", "https://127.0.0.1:11434/v1", "https://10.0.0.5/v1", "https://192.168.1.1/v1",
    "https://169.254.169.254/v1", "https://100.64.0.1/v1", "https://[::1]/v1", "https://[fe80::1]/v1",
    "https://[::ffff:10.0.0.1]/v1", "https://[64:ff9b::a00:1]/v1", "https://[2002:a00:1::]/v1",
    "https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/v1", "https://0.0.0.0/v1", "https://ollama/v1",
    "https://db.internal/v1", "https://nas.local/v1", "https://redis.localhost/v1", "https://224.0.0.1/v1",
    "https://LOCALHOST./v1",
]  # fmt: skip


@pytest.mark.parametrize("url", INNER)
def test_a_persons_endpoint_is_never_in_the_inner_network(url: str) -> None:
    assert endpoint_flaw(url, NOBODYS) == "inner"
    assert endpoint_flaw(url, None) == ""


def test_the_operator_may_let_people_reach_one_place_of_the_inner_network_and_that_one_alone() -> None:
    allowed = {"127.0.0.1:11434", "gpu.example.com:80"}
    assert endpoint_flaw("http://127.0.0.1:11434/v1", allowed) == ""
    assert endpoint_flaw("http://127.0.0.1:6379/v1", allowed) == "inner"
    assert endpoint_flaw("http://gpu.example.com/v1", allowed) == ""
    assert endpoint_flaw("http://gpu.example.com:8080/v1", allowed) == "https"


def test_the_operator_may_ask_next_door_without_a_certificate() -> None:
    assert endpoint_flaw("http://llama:8080/v1", None) == ""
    assert endpoint_flaw("http://192.168.0.9:8000/v1", None) == ""
    assert endpoint_flaw("http://1.1.1.1/v1", None) == "https"


def test_an_address_inside_another_is_judged_by_itself() -> None:
    assert is_outer(ipaddress.ip_address("::ffff:1.1.1.1"))
    assert is_outer(ipaddress.ip_address("64:ff9b::101:101"))
    assert not is_outer(ipaddress.ip_address("64:ff9b::7f00:1"))
    assert not is_outer(ipaddress.ip_address("2002:7f00:1::"))
    assert is_outer(ipaddress.ip_address("2606:4700::1111"))
    assert not is_near_host("2606:4700::1111")


@pytest.mark.parametrize(
    ("names", "stands"),
    [
        (("default",), True),
        (("fast", "default"), True),
        (("own/a", "own/b"), True),
        (("own/a", "default"), False),  # a failure moves no bill
        (("fast", "fast"), False),
        ((), False),
        (("a", "b", "c", "d", "e"), False),
        (("Fast",), False),
        (("own/",), False),
    ],
)
def test_a_chain_has_each_model_once_and_one_payer(names: tuple[str, ...], stands: bool) -> None:
    assert is_chain(names) is stands


@pytest.mark.parametrize(
    ("why", "next_is_asked"),
    [
        (codes.ANALYST_TIMEOUT(), True),
        (codes.ANALYST_UNREACHABLE(), True),
        (codes.ANALYST_BUSY(), True),
        (codes.ANALYST_QUOTA(), True),
        (codes.MODEL_DAY_USED_UP(model="fast"), True),
        (codes.ANALYST_HTTP(status=503), True),
        (codes.ANALYST_HTTP(status=404), False),
        (codes.ANALYST_ERROR_INSIDE(status=502), True),
        (codes.ANALYST_ERROR_INSIDE(status=400), False),
        (codes.ANALYST_KEY_REFUSED(), False),
        (codes.ANSWER_NOT_JSON(type="ValueError"), False),
        (codes.MODEL_ADDRESS_INNER(), False),
    ],
)
def test_the_next_is_asked_only_after_one_that_was_away_at_a_limit_or_too_slow(
    why: Reason, next_is_asked: bool
) -> None:
    assert goes_on(why) is next_is_asked


@given(st.floats(0, 60), st.integers(1, 4))
def test_the_parts_of_a_budget_never_pass_it(budget: float, models: int) -> None:
    left = budget
    for number in range(models, 0, -1):
        part = part_of(left, number)
        assert 0 <= part <= left
        left -= part
    assert left <= 1e-6


MONEY = st.decimals(0, 100, places=6)


@given(MONEY, MONEY, st.none() | MONEY, st.integers(0, 10**7), st.integers(0, 10**7), st.integers(-5, 10**7))
def test_what_was_cached_never_makes_a_call_dearer_than_its_parts(
    asked: Decimal, said: Decimal, cached: Decimal | None, prompt: int, answer: int, kept: int
) -> None:
    cost = AnalystPrices(asked, said, cached).cost(prompt, answer, kept)
    if not asked and not said:
        assert cost is None
        return
    assert cost is not None
    parts = sorted([asked, asked if cached is None else cached])
    assert prompt * parts[0] + answer * said <= cost * 1_000_000 <= prompt * parts[1] + answer * said


def test_a_free_model_costs_nothing_and_an_unknown_price_is_not_nothing() -> None:
    assert AnalystPrices(free=True).cost(100, 100) == 0
    assert AnalystPrices().cost(100, 100) is None
    assert AnalystPrices(Decimal(1), Decimal(2), Decimal("0.1")).cost(100, 10, 40) == Decimal("0.000084")
