"""
The pages there are, in the order people find them: adding one is a line here, a file in app/pages, and its title
(`page.NAME`) in the catalogues.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its *name*, which is its file's and its address's; the first one is at the root."""

    name: str
    icon: str

    @property
    def address(self) -> str:
        return f"/{self.name}"


ARENA = Page("arena", ":material/trophy:")
BACKTEST = Page("backtest", ":material/history:")
COMPARE = Page("compare", ":material/balance:")
NOTIFICATIONS = Page("notifications", ":material/notifications:")
PAGES = (
    Page("dashboard", ":material/candlestick_chart:"),
    Page("trade_logs", ":material/receipt_long:"),
    Page("results", ":material/monitoring:"),
    COMPARE,
    BACKTEST,
    ARENA,
    Page("strategy", ":material/psychology:"),
    Page("api_keys", ":material/key:"),
    Page("settings", ":material/tune:"),
    NOTIFICATIONS,
    Page("account", ":material/shield_person:"),
)
OFF_THUMB = frozenset({NOTIFICATIONS.name, COMPARE.name, BACKTEST.name, ARENA.name})
"""Not among a phone's tabs, where seven have room: the bell, the results and Compare lead to them."""
OPERATORS = Page("operator", ":material/admin_panel_settings:")
"""For operators alone: for everybody else it is not there."""
RESET = "reset"
"""Where a mailed link leads; nobody looks for it."""
HOME = "/"
EMAIL = "email"
"""As `RESET`, for a new e-mail."""
ADDRESSES = frozenset({HOME, f"/{RESET}", f"/{EMAIL}", *(page.address for page in PAGES[1:])})
