"""
Who answers, in words: a language model by its name, the bundled rules as what they are. Plain text, never markup.
"""

from collections.abc import Callable

from lib.domain.analyst_name import is_rules


def analyst_name(model: str, word: Callable[[str], str]) -> str:
    """*model* as a page shows it; *word* translates a key."""
    return word("analyst.rules") if is_rules(model) else model
