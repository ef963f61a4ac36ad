"""A person's own strategies, their versions, and which one runs."""

from hashlib import sha256

import sqlalchemy as sa

from lib.adapters.sql.forms.strategies import version_from
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.strategies import strategies, strategy_versions
from lib.domain.strategy import StrategyVersion
from lib.queries.reading import Reading
from lib.queries.values import InstructionRow

_S, _V = strategies.c, strategy_versions.c
_VERSION = sa.select(strategy_versions, _S.name).join(strategies, _S.id == _V.strategy_id)


class StrategyReadings(Reading):
    """Strategies; never somebody else's."""

    def instructions(self, user_id: int, limit: int = 50) -> list[InstructionRow]:
        """The instructions among the newest *limit* versions of the strategy that runs, newest first."""
        kept = self._running_versions(user_id, limit)
        texts = [one.content.instructions for one in kept]
        return [
            InstructionRow(one.number, text, sha256(text.encode()).hexdigest(), one.made_ms)
            for one, text, older in zip(kept, texts, [*texts[1:], None], strict=False)
            if text != older
        ]

    def _running_versions(self, user_id: int, limit: int) -> list[StrategyVersion]:
        running = sa.select(users.c.strategy_version_id).where(users.c.id == user_id).scalar_subquery()
        strategy = sa.select(_V.strategy_id).where(_V.id == running).scalar_subquery()
        query = _VERSION.where(_V.user_id == user_id, _V.strategy_id == strategy)
        rows = self._read(lambda c: c.execute(query.order_by(_V.number.desc()).limit(limit)).mappings().all())
        return [version_from(row) for row in rows]
