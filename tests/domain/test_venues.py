"""Venues as data: a row for each, nothing real by accident, and what the order protocol cannot do without."""

from dataclasses import FrozenInstanceError, replace

import pytest

from lib.domain.account import POOLS, VENUES, Venue
from lib.domain.bybit_sites import FEEDS, SITES
from lib.domain.venues import CAPABILITIES, REAL_FEEDS, pool_of, venues_of


def test_every_venue_has_its_row_and_no_other_stands_there() -> None:
    assert tuple(CAPABILITIES) == VENUES


def test_a_row_does_not_change_while_it_is_read() -> None:
    with pytest.raises(FrozenInstanceError):
        CAPABILITIES["demo"].has_real_money = True  # type: ignore[misc]


def test_real_money_is_on_mainnet_alone_and_is_never_taken_on_a_doubt() -> None:
    real = {venue for venue, row in CAPABILITIES.items() if row.has_real_money}
    assert real == {"mainnet"}
    assert all(CAPABILITIES[venue].offers_everything for venue in real)


def test_demo_alone_does_not_offer_everything_and_paper_alone_opens_accounts() -> None:
    assert [venue for venue, row in CAPABILITIES.items() if not row.offers_everything] == ["demo"]
    assert [venue for venue, row in CAPABILITIES.items() if row.opens_accounts] == ["paper"]


def test_every_venue_is_in_one_pool() -> None:
    assert sorted(venue for pool in POOLS for venue in venues_of(pool)) == sorted(VENUES)
    assert all(venue in venues_of(pool_of(venue)) for venue in VENUES)
    assert venues_of("paper") == ("paper",)


def test_the_real_feeds_are_those_that_sites_have_hosts_for() -> None:
    assert REAL_FEEDS == FEEDS


@pytest.mark.parametrize("site", SITES)
def test_every_venue_but_our_own_has_its_hosts_on_every_site(site: str) -> None:
    ours = {venue for venue, row in CAPABILITIES.items() if row.opens_accounts}
    assert SITES[site].rest_urls.keys() == SITES[site].private_urls.keys() == set(VENUES) - ours


@pytest.mark.parametrize("venue", VENUES)
def test_every_venue_of_ours_has_what_the_order_protocol_needs(venue: Venue) -> None:
    assert CAPABILITIES[venue].lacks == ()


def test_a_venue_without_what_the_order_protocol_needs_says_what_is_missing() -> None:
    demo = CAPABILITIES["demo"]
    assert replace(demo, has_stop_inside_entry=False).lacks == ("a stop inside the entry",)
    assert replace(demo, has_idempotent_ids=False).lacks == ("order ids that are refused a second time",)
    assert len(replace(demo, has_stop_inside_entry=False, has_idempotent_ids=False).lacks) == 2
    assert replace(demo, has_trailing_stop=False).lacks == ()
