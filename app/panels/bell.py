"""The bell above every page: what the person was told and has not seen, live, and the way to all of it."""

from app.i18n import t
from app.navigation import NOTIFICATIONS
from app.ui import live
from lib.accounts.web import SessionUser
from lib.queries import MOST_UNSEEN


def bell(user: SessionUser) -> None:
    """Draw it."""
    live.bell(t("page.notifications"), NOTIFICATIONS.address, MOST_UNSEEN, read_only=user.read_only)
