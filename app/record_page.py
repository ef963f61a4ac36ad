"""
A record as anybody sees it who has its link: one page without script, account or question to another server.

Nothing on it is about a person; amounts are not on it, whatever the link shows in its file.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from urllib.parse import quote

from app.i18n import catalogue
from app.ui.assets import address
from lib.domain.filled import filled
from lib.queries import RecordLine

_WIDE, _HIGH, _ROOM = 720, 150, 8
_PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow"><title>{title} · Maemae</title><link rel="icon" href="{icon}">
<link rel="stylesheet" href="{fonts}"><style>
:root {{ color-scheme: light dark; --line: light-dark(#e6e8ea, #2b3139); --soft: light-dark(#5e6673, #929aa5);
  --card: light-dark(#fff, #161a1e); --accent: light-dark(#8a6400, #f0b90b); }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; padding: 1.5rem 1rem 3rem; font: 15px/1.6 "Maemae Sans", "Noto Sans KR", "Apple SD Gothic Neo",
  sans-serif; word-break: keep-all; background: light-dark(#f5f6f8, #0b0e11); color: light-dark(#1e2329, #eaecef); }}
main {{ max-width: 46rem; margin: 0 auto; display: grid; gap: 1rem; }}
h1 {{ font-size: 1.35rem; line-height: 1.35; margin: .15rem 0 0; overflow-wrap: anywhere; }}
h1 span {{ white-space: nowrap; }}
h2 {{ font-size: 1rem; margin: 0 0 .6rem; }}
p, ol, dl, dd {{ margin: 0; }}
a {{ color: var(--accent); }}
.brand, .soft, dt {{ color: var(--soft); font-size: .87rem; }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .9rem 1rem; }}
dd {{ font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }}
svg {{ display: block; width: 100%; height: 9.5rem; margin-top: .5rem; }}
code, pre {{ font: 13px/1.55 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; overflow-wrap: anywhere;
  white-space: pre-wrap; word-break: break-all; user-select: all; }}
pre {{ margin: .6rem 0; padding: .65rem .8rem; border-radius: 8px; background: light-dark(#f1f3f5, #0b0e11); }}
ol {{ padding-left: 1.2rem; display: grid; gap: .35rem; }}
.files {{ display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .9rem; }}
.files a {{ text-decoration: none; border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem;
  color: inherit; font-weight: 600; }}
.files a:first-child {{ background: #f0b90b; border-color: #f0b90b; color: #1e2329; }}
.files a:hover {{ border-color: var(--accent); }}
</style></head><body><main>
{body}
</main></body></html>
"""
_RECORD = """<header><p class="brand">Maemae 매매 · {title}</p><h1>{name}</h1><p class="soft">{version}</p></header>
<section><dl>{figures}</dl>{curve}</section>
<section><h2>{head}</h2><p><code>{head_value}</code></p><p class="soft">{sealed}</p></section>
<section><h2>{check}</h2><ol><li>{check_1}</li><li>{check_2}</li><li>{check_3}</li></ol>
<pre>python verify_record.py maemae-record.jsonl.gz {head_value}</pre>
<div class="files"><a href="{file_address}" download>{file}</a>
<a href="{verifier_address}" download="verify_record.py">{verifier}</a></div></section>
<section><h2>{content}</h2><p><code>{sha256}</code></p></section>
<p class="soft">{past}</p>"""


def shell(language: str, title: str, body: str) -> str:
    """A page of its own in *language* with *title* and *body*, markup that is ours."""
    icon, fonts = address("favicon.svg"), address("fonts/fonts.css")
    return _PAGE.format(lang=language, title=title, icon=icon, fonts=fonts, body=body)


def record_page(language: str, line: RecordLine, curve: Sequence[tuple[int, str]], code: str) -> str:
    """The page of *line* in *language*; *curve* is (epoch ms, index) of each day's end, *code* the link's own."""
    words = {key: escape(text) for key, text in catalogue(language).items() if key.startswith("record.")}
    sealed = filled(words["record.sealed"], {"day": line.until, "at": _moment(line.sealed_ms)})
    names = (
        "title", "head", "check", "check_1", "check_2", "check_3", "file", "verifier", "content", "past",
    )  # fmt: skip
    body = _RECORD.format(
        **{name: words[f"record.{name}"] for name in names},
        name=escape(line.name) or words["record.design" if not line.number else "record.nameless"],
        version=filled(words["record.version"], {"number": line.number}),
        figures=_figures(words, line),
        curve=drawn(words["record.curve"], [Decimal(index) for _, index in curve]),
        head_value=line.head,
        sealed=sealed,
        sha256=line.sha256,
        file_address=f"/api/record/export?code={quote(code)}",
        verifier_address=address("verify_record.py"),
    )
    return shell(language, words["record.title"], body)


def _figures(words: dict[str, str], line: RecordLine) -> str:
    told = (
        ("since", line.since),
        ("days", filled(words["record.days_n"], {"n": f"{line.days:,}"})),
        ("decisions", f"{line.decisions:,}"),
        ("change", percent(line.index)),
    )
    return "".join(f"<div><dt>{words[f'record.{name}']}</dt><dd>{escape(text)}</dd></div>" for name, text in told)


def percent(index: str) -> str:
    """What an index says, in percent; a dash where there is none."""
    return f"{(Decimal(index) - 1) * 100:+,.2f}%".replace("-", "\u2212") if index else "\u2013"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def drawn(title: str, values: list[Decimal]) -> str:
    """A line of *values* with where it began; nothing for fewer than two."""
    if len(values) < 2:
        return ""
    low, high = min(*values, Decimal(1)), max(*values, Decimal(1))
    span, step = (high - low) or Decimal(1), Decimal(_WIDE) / (len(values) - 1)

    def y(value: Decimal) -> str:
        return f"{_ROOM + (high - value) / span * (_HIGH - 2 * _ROOM):.1f}"

    points = " ".join(f"{place * step:.1f},{y(value)}" for place, value in enumerate(values))
    one = y(Decimal(1))
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" role="img" aria-label="{title}">'
        f'<line x1="0" x2="{_WIDE}" y1="{one}" y2="{one}" stroke="var(--line)" stroke-dasharray="4 4"/>'
        f'<polyline points="{points}" fill="none" stroke="var(--accent)" stroke-width="2" '
        f'vector-effect="non-scaling-stroke"/></svg><p class="soft">{title}</p>'
    )
