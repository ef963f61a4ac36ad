"""What asks for a proof of the last five minutes: keys, another venue, looser settings. Stopping never does."""

import asyncio
from dataclasses import replace

import pytest

from lib.accounts.step_up import UNPROVED
from lib.adapters.sql.tables.people import audit_events
from lib.domain.account import AccountSettings, RiskLevel
from tests.accounts.conftest import Scene

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

STRICTER = AccountSettings(risk_level=RiskLevel.LOW, max_leverage=3)
LOOSER = AccountSettings(risk_level=RiskLevel.HIGH, max_leverage=25)


def events(scene: Scene) -> list[str]:
    return [row["event"] for row in scene.rows(audit_events)]


async def test_a_key_another_venue_and_looser_settings_want_a_proof_and_a_guest_has_none(scene: Scene) -> None:
    stale = replace(scene.user, proved_ms=0)
    assert await scene.save(user=stale) == UNPROVED
    await scene.save()
    assert await asyncio.to_thread(scene.desk.delete_key, stale) == UNPROVED
    assert await asyncio.to_thread(scene.desk.open_paper, stale) == UNPROVED
    assert await asyncio.to_thread(scene.desk.change_settings, stale, LOOSER, 1) == UNPROVED
    assert await asyncio.to_thread(scene.desk.change_settings, stale, STRICTER, 1) is None
    assert await asyncio.to_thread(scene.desk.change_settings, scene.user, LOOSER, 2) is None
    guest = replace(stale, is_guest=True)
    assert await asyncio.to_thread(scene.desk.change_settings, guest, STRICTER, 3) is None
    assert events(scene) == ["key_saved", "settings_changed", "settings_loosened", "settings_changed"]


async def test_stopping_asks_for_nothing(scene: Scene) -> None:
    await scene.save()
    stale = replace(scene.user, proved_ms=0)
    assert await asyncio.to_thread(scene.desk.set_auto_trade, stale, False) is None
    assert await asyncio.to_thread(scene.desk.pause, stale) is None
    assert await asyncio.to_thread(scene.desk.flatten, stale) is None
    assert events(scene) == ["key_saved", "paused", "flattened"]
