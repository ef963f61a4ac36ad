"""Vendored files are the ones reviewed, with their licences; our own modules ask nobody else for anything."""

import re
from hashlib import sha256

import pytest

from app.ui.assets import FOLDER, address

PINNED = {
    "lightweight-charts-5.2.1.mjs": "1bb1ee79f9d4dd17261b53d930f7a8995748276f80e7ba0e24412b5068062f5f",
    "lightweight-charts.LICENSE": "70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823",
    "PretendardVariable-1.3.9.woff2": "9599f12fd42fc0bce1cd50b47a0c022e108d7aa64dd0d1bb0ed44f3282d900b4",
    "Pretendard.LICENSE": "b04538c9abec39a3db75108cf0af0fd9c77032fe8aa2cf38345b4d250e98e38e",
}
OURS = (
    *("tvchart.mjs", "door.mjs", "leave.mjs", "countdown.mjs", "document.mjs", "language.mjs"),
    *("typing.mjs", "insight.mjs", "curve.mjs", "favicon.svg"),
)


@pytest.mark.parametrize("name", PINNED)
def test_a_vendored_file_is_the_one_that_was_reviewed(name: str) -> None:
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == PINNED[name]


def test_nothing_lies_there_unnamed() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PINNED, *OURS}


@pytest.mark.parametrize("name", OURS)
def test_our_modules_name_no_other_host_and_write_no_markup(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|\beval\(|new Function|innerHTML|insertAdjacentHTML", text)


def test_an_address_changes_with_the_content() -> None:
    digest = sha256((FOLDER / "tvchart.mjs").read_bytes()).hexdigest()
    assert address("tvchart.mjs") == f"/assets/tvchart.mjs?v={digest[:10]}"
