"""Vendored files are the ones reviewed, with their licences; our own modules ask nobody else for anything."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit
from fontTools.ttLib import TTFont

from app.ui.assets import FOLDER, FOLDERS, address, folder_address
from app.visit import THEME_COOKIE
from tests.web.conftest import Web
from tests.web.webfonts import SYLLABLES, icon_font, ligatures, shown, spoken, wanted_icons

PINNED = {
    "lightweight-charts-5.2.1.mjs": "1bb1ee79f9d4dd17261b53d930f7a8995748276f80e7ba0e24412b5068062f5f",
    "lightweight-charts.LICENSE": "70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823",
    "fonts/Pretendard.LICENSE": "b04538c9abec39a3db75108cf0af0fd9c77032fe8aa2cf38345b4d250e98e38e",
}
OURS = (
    *("door.mjs", "leave.mjs", "countdown.mjs", "document.mjs", "language.mjs", "theme.mjs"),
    *("typing.mjs", "insight.mjs", "go.mjs", "safety.mjs", "passkey.mjs"),
    *("early.js", "favicon.svg", "verify_record.py"),
)
SHEET = (FOLDER / "fonts" / "fonts.css").read_text(encoding="utf-8")
SLICES = re.findall(r"url\(([^)]+)\)", SHEET)
TOGETHER = tuple(f"{name}/{path.name}" for name in FOLDERS for path in (FOLDER / name).iterdir())


@pytest.mark.parametrize("name", PINNED)
def test_a_vendored_file_is_the_one_that_was_reviewed(name: str) -> None:
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == PINNED[name]


def test_nothing_lies_there_unnamed() -> None:
    named = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    slices = {one.partition("?")[0].removeprefix("/assets/") for one in SLICES}
    assert named == {*PINNED, *OURS, *slices, *TOGETHER, "fonts/fonts.css", "fonts/icons.woff2"}
    assert all(name.endswith(".mjs") for name in TOGETHER)


@pytest.mark.parametrize("name", [*OURS, *TOGETHER])
def test_our_modules_name_no_other_host_and_write_no_markup(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|\beval\(|new Function|innerHTML|insertAdjacentHTML", text)


def test_an_address_changes_with_the_content() -> None:
    digest = sha256((FOLDER / "door.mjs").read_bytes()).hexdigest()
    assert address("door.mjs") == f"/assets/door.mjs?v={digest[:10]}"


def test_modules_that_import_each_other_have_one_version_in_their_path(web: Web) -> None:
    for name in TOGETHER:
        folder, _, file = name.partition("/")
        base = folder_address(folder)
        assert re.fullmatch(rf"/assets/{folder}-[0-9a-f]{{10}}", base)
        answer = web.client().get(f"{base}/{file}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] in ("text/javascript", "application/javascript")
        assert "immutable" in answer.headers["cache-control"]
        # what a module imports is beside it, or has a version of its own
        for imported in re.findall(r"from \"([^\"]+)\"", answer.text):
            beside = imported.startswith("./") and (FOLDER / folder / imported[2:]).is_file()
            assert beside or "?v=" in imported, imported
    assert web.client().get("/assets/chart-0123456789/tvchart.mjs").status_code == 404
    assert "immutable" not in web.client().get("/assets/chart/rows.mjs").headers.get("cache-control", "")


# --- fonts ------------------------------------------------------------------------------------------------------------


def letters(name: str) -> set[int]:
    return set(TTFont(FOLDER / "fonts" / f"{name}.woff2").getBestCmap())


def test_the_stylesheet_names_each_slice_by_its_content() -> None:
    assert len(SLICES) > 20
    for one in SLICES:
        assert one == address(one.partition("?")[0].removeprefix("/assets/"))


def test_streamlit_looks_for_its_theme_where_a_chosen_one_is_put() -> None:
    early = (FOLDER / "early.js").read_text("utf-8")
    assert "`stActiveTheme-${location.pathname}-v2`" in early
    scripts = Path(streamlit.__file__).parent / "static" / "static" / "js"
    looks = [text for path in scripts.glob("*.js") if "stActiveTheme-" in (text := path.read_text("utf-8"))]
    place = r"(\w+)=2,\w+=`stActiveTheme-\$\{window\.location\.pathname\}`"
    [found] = {one for text in looks for one in re.findall(place, text)}
    assert any(f"CACHED_THEME_VERSION:{found}" in text for text in looks)
    assert f"{THEME_COOKIE}=(light|dark|system)" in early


def test_nearly_everything_our_own_pages_say_is_in_the_two_slices_fetched_first() -> None:
    ours = spoken()
    korean = ours.intersection(SYLLABLES)
    assert len(korean - letters("korean")) <= len(korean) * 0.1, "cut the fonts anew: python -m tests.web.webfonts FILE"
    assert set(range(0x21, 0x7F)) <= letters("latin")


def test_every_icon_anybody_asks_for_is_in_our_font() -> None:
    ours, theirs = (ligatures(TTFont(path)) for path in (FOLDER / "fonts" / "icons.woff2", icon_font()))
    missing = shown(theirs, wanted_icons()) - set(ours)
    assert not missing, f"{missing}: cut the icons anew: python -m tests.web.webfonts"
