"""What was learnt of the analyst, for pages and terminals: who it is and how it is asked. Nobody's in particular."""

import json

import sqlalchemy as sa

from lib.adapters.sql.forms.analyst_profiles import PREFIX
from lib.adapters.sql.tables.people import system_settings
from lib.queries.reading import Reading
from lib.queries.values import AnalystProfile

NEWEST = 20


class AnalystReadings(Reading):
    """The remembered profiles."""

    def analyst_profile(self, answered: str = "") -> AnalystProfile | None:
        """The newest profile whose model calls itself *answered* ("" = any), or None; a damaged row is passed over."""
        query = (
            sa.select(system_settings.c.setting_value)
            .where(system_settings.c.setting_key.startswith(PREFIX, autoescape=True))
            .order_by(system_settings.c.updated_at.desc(), system_settings.c.id.desc())
            .limit(NEWEST)
        )
        texts = self._read(lambda c: c.execute(query).scalars().all())
        found = [profile for text in texts if (profile := _profile(text)) is not None]
        return next((profile for profile in found if answered in ("", profile.answered)), None)


def _profile(text: str | None) -> AnalystProfile | None:
    try:
        said = json.loads(text or "")
        return AnalystProfile(*(str(said[name]) for name in ("host", "model", "answered", "how")))
    except (ValueError, TypeError, LookupError):
        return None
