"""
The one door from screens to the system behind them: one `WebSystem` per process.

The server hands over what it built; a script that runs without our server (a page under test, `streamlit run`) gets one
built from the environment at its first question. Screens import nothing else of lib.bootstrap.
"""

import threading

from lib import bootstrap, settings
from lib.bootstrap import WebSystem

_held: list[WebSystem] = []
_building = threading.Lock()


def hand_over(made: WebSystem) -> None:
    """From now on `system()` is *made*."""
    _held[:] = [made]


def system() -> WebSystem:
    """The process's system; *Halt* when settings do not allow one."""
    with _building:
        if not _held:
            _held.append(bootstrap.web_system(settings.load()))
        return _held[0]
