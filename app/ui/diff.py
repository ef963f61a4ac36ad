"""
What changed between two texts, line by line, as markup: a sign before each line, so that no colour has to be seen.
"""

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from html import escape

STYLE = """<style>
.diff { font: .85rem/1.6 var(--mono, ui-monospace, monospace); border-radius: 6px; overflow: hidden; margin: 0;
  border: 1px solid color-mix(in srgb, currentColor 16%, transparent); padding: .3rem 0 !important; list-style: none; }
.diff li { display: grid; grid-template-columns: 1.5rem 1fr; margin: 0; padding: 0 .6rem 0 .3rem; }
.diff li > span:last-child { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 1.6em; }
.diff li > span:first-child { text-align: center; opacity: .8; user-select: none; }
.diff .added { background: light-dark(#e0efff, #12304f); }
.diff .gone { background: light-dark(#fdeed6, #47330f); }
.diff .gone > span:last-child { text-decoration: line-through; text-decoration-thickness: 1px; }
.diff .same { opacity: .8; }
.diff .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>"""
SIGNS = {"same": " ", "gone": "\u2212", "added": "+"}


def changed_lines(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Every line as ("same" | "gone" | "added", line); what went stands before what came."""
    old, new = before.splitlines(), after.splitlines()
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (("same", line) for line in old[old_from:old_to])
            continue
        yield from (("gone", line) for line in old[old_from:old_to])
        yield from (("added", line) for line in new[new_from:new_to])


def diff_html(before: str, after: str, say: Callable[[str], str]) -> str:
    """From *before* to *after*; *say* gives the words a screen reader hears for "added" and "gone"."""
    rows = (
        f'<li class="{kind}"><span>{SIGNS[kind]}</span><span>{_heard(kind, say)}{escape(line)}</span></li>'
        for kind, line in changed_lines(before, after)
    )
    return f'{STYLE}<ul class="diff">{"".join(rows)}</ul>'


def _heard(kind: str, say: Callable[[str], str]) -> str:
    return "" if kind == "same" else f'<b class="said">{escape(say(kind))} </b>'
