"""Which addresses there are, in whose language, and what the first visit weighs."""

import gzip
import os
import re
from pathlib import Path

import brotli
import pytest
import streamlit
from streamlit.proto.NewSession_pb2 import CustomThemeConfig

from app.addresses import ELSEWHERE, INDEX
from app.http.refusals import refusal_body
from app.i18n import catalogue
from app.index_page import page_in, themes
from app.kept_assets import KeptAssets
from app.navigation import ADDRESSES, EMAIL, PAGES, RESET
from app.packed_files import packed
from app.policy import inline_hashes
from app.ui.assets import FOLDER, address, folder_files
from tests.web.conftest import Web

HTML = {"accept": "text/html,application/xhtml+xml"}
PAGES_FOLDER = Path(__file__).resolve().parents[2] / "app" / "pages"
STATIC = Path(streamlit.__file__).parent / "static"
(SCRIPT,) = (f"/static/js/{path.name}" for path in (STATIC / "static" / "js").glob("protobuf.*.js"))
SYMBOLS = next((STATIC / "static" / "media").glob("MaterialSymbols*")).name


def test_the_navigation_and_the_addresses_name_the_same_pages() -> None:
    assert {"/", f"/{RESET}", f"/{EMAIL}", *(f"/{page.name}" for page in PAGES[1:])} == ADDRESSES
    assert {page.name for page in PAGES} <= {file.stem for file in PAGES_FOLDER.glob("*.py")}
    for language in ("ko", "en"):
        assert {f"page.{page.name}" for page in PAGES} <= catalogue(language).keys()


def named_by(web: Web, path: str) -> list[str]:
    """The addresses in the document of the page at *path*."""
    return re.findall(r'(?:href|src)="([^"]+)"', web.client().get(path, headers=HTML).text)


@pytest.mark.parametrize("path", sorted(ADDRESSES))
def test_a_page_is_answered_with_absolute_addresses(web: Web, path: str) -> None:
    for _ in range(2):
        answer = web.client().get(path, headers=HTML)
        assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")
        assert int(answer.headers["content-length"]) < len(answer.content)
    assert answer.headers["cache-control"] == "no-store"
    named = named_by(web, path)
    assert len(named) > 10
    assert all(one.startswith("/") for one in named)


def test_every_address_a_page_names_is_there(web: Web) -> None:
    for one in {one for path in ADDRESSES for one in named_by(web, path)}:
        # Streamlit asks for its icon font, and is led to ours
        found = web.client().get(one, follow_redirects=SYMBOLS in one)
        assert one == "/_stcore/agent/openapi.json" or found.status_code == 200, one


@pytest.mark.parametrize("path", ELSEWHERE)
def test_the_designs_addresses_lead_to_their_pages_and_keep_what_was_asked(web: Web, path: str) -> None:
    answer = web.client().get(f"{path}?lang=en", headers=HTML)
    assert answer.status_code == 307
    target, _, query = answer.headers["location"].partition("?")
    assert target in ADDRESSES
    assert "lang=en" in query
    assert answer.headers["cache-control"] == "no-store"


UNKNOWN = (
    *("/nowhere", "/auth", "/auth/nowhere", "/dashboard/nowhere", "/trade_logs/7", "/static/js/none.js"),
    *("/_stcore/nowhere", "/assets/none.mjs", "/media/none.png", "/index.html"),
)


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_address_is_a_404_in_the_readers_language(web: Web, path: str) -> None:
    kim = web.owner()
    for one in ("ko", "en"):
        answer = web.client().get(path, headers={**HTML, "accept-language": f"{one}-XX,zz;q=0.5"})
        if answer.status_code == 401:  # files of people ask who it is first
            answer = kim.get(path, headers=HTML)
            one = "ko"
        assert answer.status_code == 404
        assert f'<html lang="{one}">' in answer.text
        assert catalogue(one)["missing.title"] in answer.text
        assert "/static/js/" not in answer.text
        assert "content-security-policy" in answer.headers


def test_a_program_that_asks_for_no_page_gets_a_404_of_one_line(web: Web) -> None:
    answer = web.client().get("/static/js/none.js", headers={"accept": "*/*", "accept-language": "en"})
    assert (answer.status_code, answer.text) == (404, "There is nothing at this address")
    assert web.owner().get("/api/nowhere").json() == refusal_body("refuse.not_found", {}, "ko")


LANGUAGES = [
    ("/", {}, "ko"),
    ("/", {"accept-language": "en-GB,en;q=0.9,ko;q=0.8"}, "en"),
    ("/", {"accept-language": "de"}, "en"),
    ("/", {"accept-language": "*"}, "ko"),
    ("/?lang=en", {"accept-language": "ko"}, "en"),
    ("/?lang=ko", {"accept-language": "en"}, "ko"),
    ("/?lang=xx%22", {"accept-language": "en"}, "en"),
    ("/", {"accept-language": "en", "cookie": "a=b; maemae_lang=ko"}, "ko"),
    ("/", {"accept-language": "en", "cookie": "maemae_lang=<b>"}, "en"),
    ("/?" + "&".join(["x=1"] * 500), {"accept-language": "en"}, "en"),
]


@pytest.mark.parametrize(("path", "headers", "language"), LANGUAGES)
def test_the_documents_language_is_the_strangers(web: Web, path: str, headers: dict[str, str], language: str) -> None:
    assert f'<html lang="{language}">' in web.client().get(path, headers=headers).text


def test_the_documents_language_is_the_persons_in_whatever_browser(web: Web) -> None:
    assert '<html lang="ko">' in web.owner().get("/?lang=en", headers={"accept-language": "en"}).text


def test_our_page_runs_the_inline_scripts_the_policy_knows() -> None:
    index = INDEX.read_text(encoding="utf-8")
    for one in ("ko", "en"):
        scripts = re.findall(r"(?s)<script>(.*?)</script>", page_in(one, index))
        assert scripts == re.findall(r"(?s)<script>(.*?)</script>", index)
    assert len(inline_hashes()) == len(scripts) == 1


def test_the_theme_is_told_before_the_first_script_and_by_names_streamlits_front_end_has() -> None:
    fields = set(CustomThemeConfig.DESCRIPTOR.fields_by_camelcase_name)
    for theme in themes().values():
        assert {"primaryColor", "backgroundColor", "bodyFont", "baseFontSize", "sidebar"} <= set(theme) <= fields
        assert set(theme["sidebar"]) <= fields
    page = page_in("ko", INDEX.read_text(encoding="utf-8"))
    assert page.index('<meta name="maemae"') < page.index("/assets/early.js?v=") < page.index('<script type="module"')
    assert "SourceSans" not in page


def test_what_a_dashboard_needs_is_fetched_early_and_at_once_by_who_is_signed_in(web: Web) -> None:
    stranger, person = web.client().get("/").text, web.owner().get("/").text
    for rel, page in (("prefetch", stranger), ("modulepreload", person)):
        named = re.findall(rf'<link rel="{rel}" crossorigin href="([^"]+)"', page)
        assert {*folder_files("chart"), address("countdown.mjs")} <= set(named)
        assert all(web.client().get(one).status_code == 200 for one in named)
    chart = (FOLDER / "chart" / "look.mjs").read_text(encoding="utf-8")
    assert '"/assets/lightweight-charts-5.2.1.mjs?v=5.2.1"' in stranger
    assert '"../lightweight-charts-5.2.1.mjs?v=5.2.1"' in chart


def test_streamlits_icons_and_tab_icon_are_ours(web: Web) -> None:
    for path, ours in ((f"/static/media/{SYMBOLS}", "fonts/icons.woff2"), ("/favicon.png", "favicon.svg")):
        answer = web.client().get(path)
        assert answer.status_code in (307, 308)
        assert answer.headers["location"] == address(ours)
    # the icons' address stays the same through our releases: only where it leads may be kept
    assert "cache-control" not in web.client().get(f"/static/media/{SYMBOLS}").headers


# --- weight -----------------------------------------------------------------------------------------------------------


def test_a_script_travels_compressed_and_is_kept_by_the_browser(web: Web) -> None:
    for number in range(2):  # the second one is answered from memory
        answer = web.client().get(SCRIPT, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert number == 0 or int(answer.headers["content-length"]) * 2 < len(answer.content)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["vary"].lower() == "accept-encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content == (STATIC / SCRIPT.lstrip("/")).read_bytes()


def test_who_takes_no_compression_gets_none(web: Web) -> None:
    answer = web.client().get(SCRIPT, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == (STATIC / SCRIPT.lstrip("/")).read_bytes()


def test_a_font_is_not_compressed_again_and_our_modules_are_kept_by_their_version(web: Web) -> None:
    font = web.client().get(address("fonts/latin.woff2"))
    assert "content-encoding" not in font.headers
    assert "immutable" in font.headers["cache-control"]
    assert "immutable" not in web.client().get("/assets/door.mjs").headers.get("cache-control", "")


class Scripted:
    """An application that answers every request with *body*, and counts."""

    def __init__(self, body: bytes, kind: bytes = b"text/javascript") -> None:
        self.body, self.kind, self.asked = body, kind, 0

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        self.asked += 1
        headers = [(b"content-type", self.kind), (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": self.body})  # type: ignore[operator]


async def got(app: KeptAssets, path: str, *headers: tuple[bytes, bytes], takes: bytes = b"gzip") -> bytes:
    heard: list[dict[str, object]] = []

    async def send(message: object) -> None:
        heard.append(message)  # type: ignore[arg-type]

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept-encoding", takes), *headers]}
    await app(scope, receive, send)
    return b"".join(bytes(one.get("body", b"")) for one in heard)  # type: ignore[call-overload]


async def test_a_file_is_compressed_once_and_never_past_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = Scripted(b"let a = 1;\n" * 500)
    kept = KeptAssets(behind)
    for _ in range(3):
        assert gzip.decompress(await got(kept, "/static/js/a.js")) == behind.body
    assert behind.asked == 1
    monkeypatch.setattr("app.kept_assets.MOST_BYTES", 10)
    for _ in range(2):
        await got(kept, "/static/js/b.js")
    assert behind.asked == 3


async def test_after_its_first_answer_a_file_travels_by_brotli_to_whom_takes_it() -> None:
    behind = Scripted(b"let a = 1;\n" * 500)
    kept = KeptAssets(behind)
    await kept.warm(["/static/js/a.js?v=1", "/api/settings"])
    assert behind.asked == 1
    assert brotli.decompress(await got(kept, "/static/js/a.js", takes=b"gzip, deflate, br, zstd")) == behind.body
    for takes in (b"gzip", b"gzip, br;q=0"):
        assert gzip.decompress(await got(kept, "/static/js/a.js", takes=takes)) == behind.body
    assert behind.asked == 1


def test_a_packing_is_made_once_and_what_stands_in_its_place_is_not_taken(tmp_path: Path) -> None:
    body = b"let a = 1;\n" * 500
    made = packed(body, tmp_path)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(brotli.compress(body, quality=1))
    assert packed(body, tmp_path) == kept.read_bytes() != made, "the same file is not packed again"
    for other in (brotli.compress(b"steal();"), b"no brotli", b""):
        kept.write_bytes(other)
        assert packed(body, tmp_path) == made == kept.read_bytes()


def test_a_packing_nobody_read_for_a_month_goes(tmp_path: Path) -> None:
    packed(b"a" * 900, tmp_path)
    [old] = tmp_path.iterdir()
    os.utime(old, (1, 1))
    packed(b"b" * 900, tmp_path)
    assert not old.exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_where_nothing_can_be_written_a_file_is_packed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert brotli.decompress(packed(b"a" * 900, tmp_path / "file")) == b"a" * 900


async def test_once_the_server_stops_nothing_more_is_packed() -> None:
    behind = Scripted(b"let a = 1;\n" * 500)
    kept = KeptAssets(behind)
    kept.close()
    await kept.warm(["/static/js/a.js"])
    assert gzip.decompress(await got(kept, "/static/js/a.js", takes=b"br, gzip")) == behind.body


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/settings", ()),
        ("/static/js/a.js", ((b"range", b"bytes=0-9"),)),
        ("/static/js/a.js", ((b"if-none-match", b'"x"'),)),
    ],
)
async def test_an_answer_about_somebody_or_in_part_is_never_kept(
    path: str, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    behind = Scripted(b"x" * 5_000)
    kept = KeptAssets(behind)
    for _ in range(2):
        await got(kept, path, *headers)
    assert behind.asked == 2


async def test_a_page_in_the_place_of_a_file_is_never_kept() -> None:
    behind = Scripted(b"<p>nothing</p>" * 500, b"text/html")
    kept = KeptAssets(behind)
    for _ in range(2):
        await got(kept, "/static/js/none.js")
    assert behind.asked == 2
