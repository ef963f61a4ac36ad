"""
Cuts the web fonts: `python -m tests.web.webfonts PretendardVariable.woff2` (npm `pretendard` 1.3.9, sha256 below).

Korean is cut into slices that browsers fetch by the letters a page shows: first what our own pages say and the
commonest, then the rest of the syllables Korean is written with in the order of how often they are (syllables.txt),
then everything else by its place in Unicode. Weights outside 400 to 700 are dropped: nothing here is set in them. The
font's licence reserves its name for its maker's own files, so what is cut is called FAMILY. Icons are cut out of
Streamlit's font of them (Google's Material Symbols, Apache 2.0) by the names somebody asks for; without a file's name
only these are cut. Everything is written to app/assets/fonts, with the stylesheet that names the slices.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import streamlit
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "app" / "assets" / "fonts"
STREAMLIT = Path(streamlit.__file__).parent
SOURCE = "9599f12fd42fc0bce1cd50b47a0c022e108d7aa64dd0d1bb0ed44f3282d900b4"
FAMILY = "Maemae Sans"
WEIGHTS = (400, 700)
SYLLABLES = range(0xAC00, 0xD7A4)
COMMONEST = 250
"""How many of the commonest syllables come first though no page says them yet: the next one will."""
BY_RANK = (250, 350, 500)
"""How many syllables the slices after the first have; the last one takes the rest."""
BLOCK = 0x200
SIGNS = tuple(map(ord, "←↑→↓↗↘−≈≠≤≥▲▼●○■✓✕"))
LATIN = (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2040), 0x20A9, 0x20AC, 0x20BF, 0x2122, *SIGNS)
LATIN_FEATURES = ("kern", "mark", "mkmk", "ccmp", "locl", "calt", "tnum")
ELSEWHERE = ((0x180, 0x600), (0x1100, 0x2000), (0x2010, 0x2E00), (0x2E00, 0xAC00), (0xF900, 0xFFFF))

STYLE = """/* Written by tests/web/webfonts.py. {family}: cut from Pretendard 1.3.9, Copyright (c) 2021 Kil Hyung-jin,
 * SIL Open Font License 1.1: Pretendard.LICENSE beside this file. */
"""
FACE = (
    '@font-face{{font-family:"{family}";font-style:normal;font-weight:{weight};font-display:{display};'
    'src:url({url})format("woff2"){range}}}\n'
)


def said(characters: Iterable[int]) -> str:
    """*characters* as CSS names them: neighbours as a range."""
    runs: list[list[int]] = []
    for one in sorted(characters):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return ",".join(f"U+{first:X}" if first == last else f"U+{first:X}-{last:X}" for first, last in runs)


def spoken() -> set[int]:
    """The letters of our own pages."""
    files = [
        path for folder in ("app", "lib") for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".toml")
    ]
    return {ord(one) for path in files for one in path.read_text(encoding="utf-8")}


def ranked() -> list[int]:
    """The syllables of KS X 1001, the commonest first."""
    return [ord(one) for one in (Path(__file__).parent / "syllables.txt").read_text(encoding="utf-8").strip()]


def slices(known: set[int]) -> Iterator[tuple[str, set[int], set[int]]]:
    """Name, letters and the range that names them of each slice; a later one is asked first for what two have."""
    ours = spoken()
    first = ours.intersection(SYLLABLES).union(ranked()[:COMMONEST])
    rest = [one for one in ranked() if one not in first]
    common = first.union(rest)
    for low, high in ELSEWHERE:
        yield f"u{low:x}", {one for one in known if low <= one < high} - set(LATIN), set(range(low, high))
    for low in range(SYLLABLES.start, SYLLABLES.stop, BLOCK):
        block = set(range(low, min(low + BLOCK, SYLLABLES.stop)))
        yield f"u{low:x}", block - common, block
    for number, count in enumerate((*BY_RANK, len(rest)), 1):
        part, rest = set(rest[:count]), rest[count:]
        yield f"korean-{number}", part, part
    yield "korean", first, first
    latin = known.intersection(ours.difference(SYLLABLES).union(LATIN))
    yield "latin", latin, latin


def renamed(source: Path) -> bytes:
    """The font *source* without the weights nobody uses, under our name; not packed, for it is read once a slice."""
    font = instancer.instantiateVariableFont(TTFont(source), {"wght": WEIGHTS})
    for record in font["name"].names:
        record.string = record.toUnicode().replace("Pretendard Variable", FAMILY).replace("Pretendard", FAMILY)
    font.flavor = None
    made = BytesIO()
    font.save(made)
    return made.getvalue()


def cut(font: bytes, characters: Iterable[int], features: tuple[str, ...]) -> bytes:
    """A woff2 of *characters* out of *font*."""
    whole = TTFont(BytesIO(font))
    options = subset.Options(layout_features=list(features), hinting=False, notdef_outline=True, name_IDs=["*"])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=list(characters))
    cutter.subset(whole)
    return packed(whole)


def packed(font: TTFont) -> bytes:
    """*font* as woff2."""
    font.flavor = "woff2"
    font.recalcTimestamp = False
    made = BytesIO()
    font.save(made)
    return made.getvalue()


# --- icons ------------------------------------------------------------------------------------------------------------


def icon_font() -> Path:
    """Streamlit's own."""
    (found,) = (STREAMLIT / "static" / "static" / "media").glob("MaterialSymbols-Rounded.*.woff2")
    return found


def ligatures(font: TTFont) -> dict[str, str]:
    """Which glyph stands for which name."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found: dict[str, str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, many in getattr(table, "ligatures", {}).items():
                for one in many:
                    name = "".join(letters.get(glyph, "?") for glyph in (first, *one.Component))
                    found[name] = one.LigGlyph
    return found


def wanted_icons() -> set[str]:
    """Every word of our pages' sources that could be an icon's name, and the names Streamlit has in its own scripts."""
    words: set[str] = set()
    for path in (*(ROOT / "app").rglob("*.py"), ROOT / "streamlit_app.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.update(re.findall(r"[a-z0-9_]{3,}", node.value))
    for path in (ROOT / "app" / "assets" / "live").glob("*.mjs"):
        words.update(re.findall(r'"([a-z0-9_]{3,})"', path.read_text(encoding="utf-8")))
    for path in (STREAMLIT / "static" / "static" / "js").glob("*.js"):
        words.update(re.findall(r":material/([a-z0-9_]+):", path.read_text(encoding="utf-8")))
    return words


def shown(names: Iterable[str], words: set[str]) -> set[str]:
    """Those of *names* that *words* ask for; a word that ends in `_` begins a name made while running."""
    begun = tuple(one for one in words if one.endswith("_"))
    return {name for name in names if name in words or (begun and name.startswith(begun))}


def cut_icons(font: Path, words: set[str]) -> bytes:
    """The icons *words* ask for, and nothing else of *font*."""
    whole = TTFont(font)
    known = ligatures(whole)
    names = shown(known, words)
    spelt = {ord(letter) for name in known for letter in name} | {ord(" ")}
    cutter = subset.Subsetter(
        subset.Options(layout_features=["*"], layout_closure=False, hinting=False, glyph_names=False)
    )
    cutter.populate(unicodes=list(spelt), glyphs=[known[name] for name in names])
    cutter.subset(whole)
    return packed(whole)


# --- writing ----------------------------------------------------------------------------------------------------------


def write(name: str, content: bytes) -> str:
    """The address of the file *name*, written."""
    (FOLDER / name).write_bytes(content)
    sys.stdout.write(f"{name:<20} {len(content):>8,} bytes\n")
    return f"/assets/fonts/{name}?v={sha256(content).hexdigest()[:10]}"


def faces(source: Path) -> Iterator[str]:
    """The stylesheet's lines for Korean and Latin."""
    if sha256(source.read_bytes()).hexdigest() != SOURCE:
        raise SystemExit(f"{source} is not the file this was written for")
    weight = " ".join(map(str, WEIGHTS))
    font = renamed(source)
    for name, characters, named in slices(set(TTFont(source).getBestCmap())):
        content = cut(font, characters, LATIN_FEATURES if name == "latin" else ())
        ranges = f";unicode-range:{said(named)}"
        yield FACE.format(
            family=FAMILY, weight=weight, display="swap", url=write(f"{name}.woff2", content), range=ranges
        )


def main(arguments: list[str]) -> None:
    """Entry point."""
    FOLDER.mkdir(exist_ok=True)
    if arguments:
        text = STYLE.format(family=FAMILY) + "".join(faces(Path(arguments[0])))
        (FOLDER / "fonts.css").write_text(text, encoding="utf-8")
    write("icons.woff2", cut_icons(icon_font(), wanted_icons()))


if __name__ == "__main__":
    main(sys.argv[1:])
