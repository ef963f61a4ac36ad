"""parse_link_id reads exactly what order_link_id writes, and nothing else."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.order import Leg, LinkId, order_link_id, parse_link_id

IDS = st.builds(
    LinkId,
    installation=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=6),
    t_ms=st.integers(0, 2_000_000_000).map(lambda n: n * 300_000 % 4_000_000_000_000),
    symbol_no=st.integers(0, 9_999),
    account_id=st.integers(0, 1_000_000),
    leg=st.sampled_from(get_args(Leg)),
    seq=st.integers(0, 35),
)


@given(IDS)
def test_a_link_id_reads_back_as_what_it_was_made_of(link: LinkId) -> None:
    text = order_link_id(link.installation, link.t_ms, link.symbol_no, link.account_id, link.leg, link.seq)
    assert parse_link_id(text) == link


@given(st.text(max_size=40))
def test_any_other_text_is_not_a_link_id(text: str) -> None:
    link = parse_link_id(text)
    assert link is None or text == order_link_id(
        link.installation, link.t_ms, link.symbol_no, link.account_id, link.leg, link.seq
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mmt3st-mgk5-1-1",
        "mmt3st-mgk5-1-1-e0-1",
        "xxt3st-mgk5-1-1-e0",
        "mm-mgk5-1-1-e0",
        "mmT3ST-mgk5-1-1-e0",
        "mmt3st-MGK5-1-1-e0",
        "mmt3st-0mgk5-1-1-e0",
        "mmt3st-mgk5-1-1-q0",
        "mmt3st-mgk5-1-1-e",
        "mmt3st-mgk5-1-1-e00",
        "mmt3st-mgk5--1-e0",
        "mmt3st-m_k5-1-1-e0",
        "mmt3st- mgk5-1-1-e0",
    ],
)
def test_a_near_miss_is_not_a_link_id(text: str) -> None:
    assert parse_link_id(text) is None
