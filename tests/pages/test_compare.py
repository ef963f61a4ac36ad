"""The page of the comparison: every version has its sentence, nobody's lucky numbers, and it counts once a state."""

from types import SimpleNamespace

import pytest

import app.comparison
from app.i18n import catalogue
from app.panels.compare import _undecided
from lib.queries import VersionKey
from lib.reason_text import said as reason_said
from tests.pages.conftest import Visit
from tests.pages.test_results import markup
from tests.worlds.pages import HOSTILE


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept of another test."""
    monkeypatch.setattr(app.comparison, "_kept", type(app.comparison._kept)())


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_version_has_its_verdict_and_its_way_from_it(visit: Visit, language: str) -> None:
    at = visit("t-owner", "compare", language)
    assert not at.exception
    shown, words = markup(at), catalogue(language)
    assert HOSTILE not in shown, "somebody's name of a strategy is no markup"
    said = {
        "ko": ("우연보다 낫습니다", "우연보다 못합니다", "아직 판단할 수 없습니다"),
        "en": ("etter than chance", "orse than chance", "annot tell yet"),
    }
    assert all(sentence in shown for sentence in said[language])
    assert shown.count('class="strip') >= 10
    assert words["compare.running"] in shown
    assert words["compare.pairs"] in [one.value for one in at.subheader]
    assert any("40" in caption.value for caption in at.caption)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0, "none of 4 versions is worth it so far: each one loses, or does worse than chance or another"),
        (1, "of 4 versions only Mine · v1 (m) may still be worth it; that it beats every baseline is not shown yet"),
        (2, "none of 4 versions is ahead; 2 cannot be told apart yet"),
    ],
)
def test_without_a_winner_it_is_said_who_may_still_be_one(visit: Visit, left: int, said: str) -> None:
    visit("t-owner", "compare", "en")
    names = [VersionKey(n, "Mine", n + 1, "m") for n in range(left)]
    assert reason_said(_undecided(names, 4), "en") == said


def test_who_has_no_account_is_sent_to_make_one(visit: Visit) -> None:
    at = visit("t-new", "compare")
    assert not at.exception
    assert catalogue("ko")["tiles.none"] in [one.value for one in at.info]


def test_an_account_that_was_never_answered_is_told_to_wait(visit: Visit, staged: SimpleNamespace) -> None:
    staged.readings.compares = {}
    at = visit("t-owner", "compare", "en")
    assert not at.exception
    assert catalogue("en")["compare.empty"] in [one.value for one in at.info]


def test_a_rerun_counts_nothing_anew(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit("t-owner", "compare")
    monkeypatch.setattr(app.comparison, "versions", None)
    assert not at.run().exception


def test_results_say_the_verdict_of_what_runs_once_there_is_enough(visit: Visit, staged: SimpleNamespace) -> None:
    assert "etter than chance" not in markup(visit("t-owner", "results", "en"))
    staged.readings.compares = dict(list(staged.readings.compares.items())[1:])
    at = visit("t-owner", "results", "en")
    assert not at.exception
    assert "etter than chance" in markup(at)
