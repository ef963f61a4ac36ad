"""What an operator says to everybody: which doors are open, the banner, what one person may cost and have running."""

from decimal import Decimal

from lib.adapters.sql.ledger.rows import setting_rows
from lib.domain.account import NO_PERSON_CAP, PlatformLimits
from lib.domain.platform_settings import Admission, Banner, admission, is_arena_open, limit_overrides, read_banner
from lib.queries.reading import Reading


class PlatformReadings(Reading):
    """Platform settings as the web needs them; of the limits what a person is told of, the rest is the trader's."""

    def admission(self) -> Admission:
        """Which doors are open for newcomers now."""
        return admission(self._read(setting_rows))

    def is_arena_open(self) -> bool:
        """Whether the operator leaves the arena open now."""
        return is_arena_open(self._read(setting_rows))

    def banner(self) -> Banner | None:
        """The banner that stands now, None = there is none."""
        return read_banner(self._read(setting_rows))

    def person_cap(self, environment: PlatformLimits) -> Decimal | None:
        """What one person's part of the operator's models may cost a UTC day, USD; None = nobody is capped."""
        most = limit_overrides(self._read(setting_rows)).over(environment).person_cost
        return None if most >= NO_PERSON_CAP else most

    def most_shadows(self, environment: PlatformLimits) -> int:
        """How many shadows one person may have running; 0 while the operator's figure cannot be read."""
        limits = limit_overrides(self._read(setting_rows)).over(environment)
        return 0 if "shadows" in limits.unreadable else limits.shadows
