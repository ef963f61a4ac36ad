"""
Reasons as a page shows them: the catalogue's sentence, with an analyst's own words as it said them.

The bundled rules' words are the one exception: they are shown in the reader's language. No Streamlit here.
"""

from app.ui.rule_words import in_language
from app.ui.write import shown
from lib.domain.reason import CODES, Kind, Reason, Value
from lib.reason_text import outline, said


def say(reason: Reason, language: str) -> str:
    """*reason* as a page in *language* ("ko", "en") shows it; "" for none."""
    return said(_translated(reason, language), language, shown)


def say_sentence(reason: Reason, language: str) -> str:
    """As `say`, begun with a capital letter where a sentence of its own stands; others' words stay as they stand."""
    words = say(reason, language)
    is_ours = bool(words) and not outline(reason.code, language).startswith("…")
    return words[:1].upper() + words[1:] if is_ours else words


def _translated(reason: Reason, language: str) -> Reason:
    kinds = CODES[reason.code].params
    return Reason(reason.code, {name: _value(kinds[name], value, language) for name, value in reason.params.items()})


def _value(kind: Kind, value: Value, language: str) -> Value:
    if isinstance(value, Reason):
        return _translated(value, language)
    return in_language(value, language) if kind is Kind.TEXT and isinstance(value, str) else value
