"""
Whatever anybody writes is letters on every page: nothing of it runs, loads, opens or becomes an element.

One person whose every text is hostile looks at each of their pages and, as an operator, at each section of the room.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Dialog, Page, expect

from app.i18n import LANGUAGES, catalogue
from app.navigation import PAGES
from lib.adapters.sql.tables.people import users
from tests.browser.deployment import Deployment, eventually
from tests.browser.payloads import LEAST, MARK, PAYLOADS
from tests.browser.rows import Told, told_all
from tests.browser.test_accessible import THEMES
from tests.browser.test_browser import LEGEND, NEWEST_CHART
from tests.browser.test_operator import SECTIONS, operator
from tests.browser.watching import Watched, watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.enable_socket]

WORDS = catalogue("ko")
LOOK = """
(mark) => {
  const texts = [], made = [];
  const harmless = new Set(["value", "title", "aria-label", "placeholder"]);
  const walk = (root) => {
    for (const node of root.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
      if (node.nodeType === Node.COMMENT_NODE && node.data.includes(mark)) made.push(`comment ${node.data}`);
      if (node.nodeType !== Node.ELEMENT_NODE) continue;
      const name = node.localName;
      for (const { name: key, value } of node.attributes) {
        const held = key.includes(mark) || (value.includes(mark) && !harmless.has(key));
        if (held || (key.startsWith("on") && value)) made.push(`${name} ${key}=${value}`);
      }
      if (name.includes(mark) || (["script", "style", "title"].includes(name) && node.textContent.includes(mark))) {
        made.push(node.outerHTML.slice(0, 200));
      }
      if ("value" in node && typeof node.value === "string") texts.push(node.value);
      if (name !== "script" && name !== "style") walk(node);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(document);
  return { texts: texts.join(" "), made, struck: window.struck ?? null };
}
"""
"""What the page says and holds: texts of fields and shadow roots too, and every element with the mark in it."""


TELL = f"""(() => {{ const marks = {NEWEST_CHART}?.marks, group = [...(marks?.groups.values() ?? [])].at(-1);
  if (!group) return false;
  marks.tell(group, {{ x: 100, y: 100 }});
  return true; }})()"""
"""What a finger on the newest mark does."""


def squashed(said: str) -> str:
    """*said* without what no reader sees: spaces, controls, joiners."""
    return "".join(
        one for one in unicodedata.normalize("NFC", said)
        if not one.isspace() and unicodedata.category(one)[0] != "C" and one != "\ufffd"
    )  # fmt: skip


def letters_alone(page: Page, *wanted: str) -> None:
    """Each text of *wanted* comes to stand on *page* as it was written, and no element of it is a payload's."""
    missing = [squashed(one) for one in wanted]

    def all_there() -> bool:
        said = squashed(page.evaluate(LOOK, MARK)["texts"])
        missing[:] = [one for one in missing if one not in said]
        return not missing

    try:
        eventually(f"all texts stand on {page.url}", all_there, 20)
    except AssertionError:
        raise AssertionError(f"{page.url}: {len(missing)} missing, first {missing[0]!r}") from None
    found: dict[str, Any] = page.evaluate(LOOK, MARK)
    assert (found["made"], found["struck"]) == ([], None), page.url


def test_there_are_payloads_enough_and_no_two_alike() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= LEAST
    assert all(MARK in one for one in PAYLOADS)


@pytest.fixture(scope="module")
def seen(deployed: Deployment, browser: Browser) -> Iterator[Watched]:
    with watched(browser, deployed.url, "ko-KR") as made:
        yield made


@pytest.fixture(scope="module")
def page(deployed: Deployment, seen: Watched) -> Page:
    return operator(deployed, seen, "hostile@example.com")


@pytest.fixture(scope="module")
def told(deployed: Deployment, page: Page) -> Iterator[Told]:
    me = page.request.get(f"{deployed.url}/api/auth/me").json()["user"]["user_id"]
    with told_all(deployed, me) as made:
        yield made


def by_page(told: Told) -> dict[str, list[str]]:
    """What each page must show."""
    of = told.places
    everywhere = [*of["email"], *of["banner"], *of["why of a pause"]]
    shown = {
        "dashboard": [told.prompt, *of["why of a decision"][:8], of["why of a lock"][0]],
        "trade_logs": of["why of a decision"][:20],
        "results": of["answer of the exchange"],
        "strategy": [told.prompt, *of["instructions"]],
        "api_keys": of["what became of a wish"],
        "settings": [*of["token"], *of["analyst"]],
        "account": [*of["passkey"], *of["note"]],
        "notifications": [],
        "compare": [],
        "backtest": [],
        "arena": [],
    }
    assert shown.keys() == {one.name for one in PAGES}, "a new page says here what it shows"
    return {name: [*everywhere, *texts] for name, texts in shown.items()}


def by_section(told: Told) -> dict[str, list[str]]:
    """What each section of the room must show."""
    of = told.places
    shown = {
        "status": [],
        "people": of["somebody's e-mail"],
        "stopping": [],
        "review": [*of["answer of the exchange"][:3], *of["why of a lock"]],
        "platform": [*of["setting"], *of["banner"]],
        "logs": [],
        "audit": [*of["act"], *of["who granted"]],
    }
    assert shown.keys() == set(SECTIONS), "a new section says here what it shows"
    return shown


def test_whatever_anybody_wrote_is_letters_on_every_page(
    deployed: Deployment, page: Page, told: Told, seen: Watched
) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(f"{deployed.url}/trade_logs?id={told.log_id}")
    letters_alone(page, told.whole, *told.places["step of an order"], *told.places["model"])
    for name, texts in by_page(told).items():
        page.get_by_role("link", name=WORDS[f"page.{name}"]).first.click()
        if (opened := OPENS.get(name)) is not None:
            opened(page)
        letters_alone(page, *texts)
    page.get_by_role("link", name=WORDS["page.operator"]).first.click()
    for name, texts in by_section(told).items():
        page.locator(".st-key-section").get_by_text(WORDS[f"room.{name}"], exact=True).click()
        letters_alone(page, *texts)
    assert dialogs == []
    seen.assert_clean()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_charts_marks_are_letters_in_each_language_and_theme(
    deployed: Deployment, page: Page, told: Told, seen: Watched, language: str
) -> None:
    me = page.request.get(f"{deployed.url}/api/auth/me").json()["user"]["user_id"]
    speaks = sa.update(users).where(users.c.id == me)
    with deployed.engine.begin() as connection:
        connection.execute(speaks.values(locale=language))
    try:
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.goto(deployed.url)
            open_the_mark(page, catalogue(language))
            letters_alone(page, page.locator(".tvchart .tip").inner_text())  # the legend's prices move on
            page.get_by_role("button", name=catalogue(language)["chart.table"]).click()
            letters_alone(page)
    finally:
        page.emulate_media(color_scheme="dark")
        with deployed.engine.begin() as connection:
            connection.execute(speaks.values(locale="ko"))
    seen.assert_clean()


def open_the_mark(page: Page, words: Mapping[str, str] = WORDS) -> None:
    """The mark in the chart tells why."""
    expect(page.locator(LEGEND)).to_contain_text(words["chart.live"])
    eventually("the order is marked", lambda: page.evaluate(TELL), 20)
    expect(page.locator(".tvchart .tip")).to_contain_text(MARK)


def open_the_orders(page: Page) -> None:
    page.get_by_role("radio", name=WORDS["table.orders"]).click()


def open_the_history(page: Page) -> None:
    page.locator(".st-key-history summary").click()
    page.locator(".st-key-version [role=combobox]").click()
    expect(page.get_by_role("option")).to_contain_text(MARK)
    page.keyboard.press("Escape")


OPENS: dict[str, Callable[[Page], None]] = {
    "dashboard": open_the_mark, "results": open_the_orders, "strategy": open_the_history
}  # fmt: skip
"""What is opened on a page so that its texts are seen."""
