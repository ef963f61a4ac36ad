"""A person's own strategies, their versions, which one runs and ran, and what of them is shared."""

from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa

from lib.adapters.sql.forms.strategies import version_from
from lib.adapters.sql.tables.people import users
from lib.adapters.sql.tables.strategies import strategies, strategy_runs, strategy_shares, strategy_versions
from lib.domain.strategy import StrategyVersion
from lib.queries.reading import Reading
from lib.queries.values import InstructionRow

_S, _V, _R, _H = strategies.c, strategy_versions.c, strategy_runs.c, strategy_shares.c
_VERSION = sa.select(strategy_versions, _S.name).join(strategies, _S.id == _V.strategy_id)


@dataclass(frozen=True, slots=True)
class StrategyLine:
    """A strategy with its *newest* version's number; *runs* = one of its versions does."""

    strategy_id: int
    name: str
    newest: int
    runs: bool


@dataclass(frozen=True, slots=True)
class RunLine:
    """A version that ran from *from_ms* on, until the line before it."""

    from_ms: int
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A link that opens a version; its code is known to nobody but who has the link."""

    share_id: int
    name: str
    number: int
    shown_as: str
    made_ms: int


class StrategyReadings(Reading):
    """Strategies; never somebody else's."""

    def strategies(self, user_id: int) -> list[StrategyLine]:
        """The person's strategies, oldest first."""
        running = sa.func.coalesce(sa.func.max(sa.case((_V.id == users.c.strategy_version_id, 1), else_=0)), 0)
        query = (
            sa.select(_S.id, _S.name, sa.func.coalesce(sa.func.max(_V.number), 0), running)
            .join(users, users.c.id == _S.user_id)
            .join(strategy_versions, _V.strategy_id == _S.id)
            .where(_S.user_id == user_id)
            .group_by(_S.id, _S.name)
            .order_by(_S.id)
        )
        rows = self._read(lambda c: c.execute(query).all())
        return [StrategyLine(number, name, newest, bool(runs)) for number, name, newest, runs in rows]

    def strategy_versions(self, user_id: int, strategy_id: int, limit: int = 100) -> list[StrategyVersion]:
        """The newest *limit* versions of the strategy, newest first."""
        query = _VERSION.where(_V.user_id == user_id, _V.strategy_id == strategy_id)
        rows = self._read(lambda c: c.execute(query.order_by(_V.number.desc()).limit(limit)).mappings().all())
        return [version_from(row) for row in rows]

    def running_strategy(self, user_id: int) -> StrategyVersion | None:
        """The version that runs; None = the original design, as nothing was ever chosen."""
        query = _VERSION.join(users, users.c.strategy_version_id == _V.id)
        query = query.where(users.c.id == user_id, _V.user_id == user_id)
        row = self._read(lambda c: c.execute(query).mappings().one_or_none())
        return None if row is None else version_from(row)

    def strategy_at(self, user_id: int, at_ms: int) -> StrategyVersion | None:
        """The version that ran at *at_ms*; None = the original design, or nobody kept what ran then."""
        query = _VERSION.join(strategy_runs, _R.version_id == _V.id)
        query = query.where(_R.user_id == user_id, _V.user_id == user_id, _R.from_ms <= at_ms)
        row = self._read(lambda c: c.execute(query.order_by(_R.id.desc()).limit(1)).mappings().one_or_none())
        return None if row is None else version_from(row)

    def strategy_runs(self, user_id: int, limit: int = 20) -> list[RunLine]:
        """What ran, newest first."""
        query = (
            sa.select(_R.from_ms, _S.name, _V.number)
            .join(strategy_versions, _V.id == _R.version_id)
            .join(strategies, _S.id == _V.strategy_id)
            .where(_R.user_id == user_id)
            .order_by(_R.id.desc())
            .limit(limit)
        )
        return [RunLine(*row) for row in self._read(lambda c: c.execute(query).all())]

    def strategy_shares(self, user_id: int) -> list[ShareLine]:
        """Links of the person's that open something now, newest first."""
        query = (
            sa.select(_H.id, _S.name, _V.number, _H.shown_as, _H.made_ms)
            .join(strategy_versions, _V.id == _H.version_id)
            .join(strategies, _S.id == _V.strategy_id)
            .where(_H.user_id == user_id, _H.revoked_ms == 0)
            .order_by(_H.id.desc())
        )
        return [ShareLine(*row) for row in self._read(lambda c: c.execute(query).all())]

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
        running = self.running_strategy(user_id)
        return [] if running is None else self.strategy_versions(user_id, running.strategy_id, limit)
