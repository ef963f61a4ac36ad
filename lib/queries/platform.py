"""What an operator says to everybody: which doors are open, and the banner. Nobody's in particular."""

from lib.adapters.sql.ledger.rows import setting_rows
from lib.domain.platform_settings import Admission, Banner, admission, read_banner
from lib.queries.reading import Reading


class PlatformReadings(Reading):
    """Platform settings as the web needs them; the limits are the trader's to read."""

    def admission(self) -> Admission:
        """Which doors are open for newcomers now."""
        return admission(self._read(setting_rows))

    def banner(self) -> Banner | None:
        """The banner that stands now, None = there is none."""
        return read_banner(self._read(setting_rows))
