"""
Text from outside in places that read Markdown: shown letter by letter, whatever it holds.

Streamlit's labels, captions, badges and messages are Markdown with its own additions: colours, icons and emoji by
colons, formulas by dollars, links from bare addresses, arrows. A backslash stops most of it; what is looked for only
after backslashes are gone (emoji, icons, bare addresses, arrows) is broken up by an unseen joiner. No Streamlit here.
"""

import re

_JOINER = "\u2060"
_LINES = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
_MEANT = re.compile(rf"([\\`*_<>#|~$&{{}}^]|:(?={_JOINER}))")
"""Not the brackets: a badge puts backslashes before them itself, and two make none."""
_BEGINS = re.compile(r"^([-+=](?=[-+=\s]|$)|\d+(?=[.)](?:\s|$)))")
"""What begins a list, a heading's underline or a rule."""
_LOOKED_FOR_LATE = re.compile(r":(?!\d\d(?!\d))|@|www(?=\.)|-(?=[->])|[<>~](?=[-=])|\](?=[(\[:])", re.IGNORECASE)
"""A time of day keeps its colons."""


def plain(text: object) -> str:
    """*text* for a place that reads Markdown; one line, because a second one could begin a list or a heading."""
    line = _LINES.sub(" ", str(text)).strip()
    broken = _LOOKED_FOR_LATE.sub(lambda found: found[0] + _JOINER, line)
    return _BEGINS.sub(lambda found: found[0] + _JOINER, _MEANT.sub(r"\\\1", broken))
