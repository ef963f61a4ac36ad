"""
What memory tests found of a person's versions: the badge beside a version, and nothing that judges reads it.

The newest test of a version × model alone is kept. What a model is called at its provider is kept with it: asked under
another name since, the test says nothing of what is asked today.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from lib.adapters.sql.tables.past import memory_tests
from lib.domain.reason import Reason
from lib.domain.stored_reason import parse
from lib.queries.reading import Reading

MOST_TESTS = 500
_M = memory_tests.c


@dataclass(frozen=True, slots=True)
class MemoryResult:
    """
    A test of the version *version_id* (0 = the original design) × *model*, its name on the list, which its provider
    called *asked* then; *windows* were answered, and *badges* are what is said of it, the gravest first.
    """

    version_id: int
    model: str
    asked: str
    tested_ms: int
    windows: int
    badges: tuple[Reason, ...]

    def is_current(self, models: Mapping[str, str]) -> bool:
        """Whether what is asked today under its name is what was tested: *models* are providers' names by ours."""
        return models.get(self.model) == self.asked


class MemoryTestReadings(Reading):
    """Of one person alone."""

    def memory_tests(self, user_id: int) -> list[MemoryResult]:
        """The newest of each version × model, the newest first; the newest `MOST_TESTS` of them."""
        query = sa.select(memory_tests).where(_M.user_id == user_id).order_by(_M.tested_ms.desc(), _M.id.desc())
        return [_result(row) for row in self._read(lambda c: c.execute(query.limit(MOST_TESTS)).all())]


def _result(row: "sa.Row[tuple[object, ...]]") -> MemoryResult:
    badges = tuple(parse(text) for text in json.loads(row.badges))
    return MemoryResult(row.version_id, row.model, row.asked, row.tested_ms, row.windows, badges)
