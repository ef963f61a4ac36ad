"""
What was answered in a stretch of evidence, for who judges it: of its person, account, version and model alone.

The notifier has this; no page has. An answer counts as the comparison counts it.
"""

from collections.abc import Sequence

from lib.domain.scores import Answered
from lib.domain.stretch import Stretch
from lib.queries.compared import ComparedReadings


class StretchReadings(ComparedReadings):
    """Read anew each time."""

    def answers_of(self, stretch: Stretch, until_ms: int) -> Sequence[Answered]:
        """What was answered before *until_ms*, epoch ms, and scored both ways; nothing where nothing was."""
        found = self.compared(stretch.user_id, until_ms, stretch.account_id)
        wanted = (stretch.version_id, stretch.criteria.model)
        answers = {} if found is None else found.answers
        return next((given for key, given in answers.items() if (key.version_id, key.model) == wanted), [])
