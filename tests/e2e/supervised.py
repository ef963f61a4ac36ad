"""`make run` without the demo's past, which takes a while and is tried elsewhere; the rest is as people run it."""

import sys

from lib import bootstrap
from lib.settings import Settings
from services import local
from services.process import last_line


async def _no_past(settings: Settings, say: object) -> None:
    return None


if __name__ == "__main__":
    bootstrap.ensure_demo = _no_past
    with last_line("maemae"):
        sys.exit(local.main())
