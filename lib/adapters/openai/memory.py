"""
The learnt profile of each model of one provider, kept in this process and in the store that all processes share.

A store that cannot be read or written costs a few refusals and nothing else. A stored profile says besides how the
model names itself, for pages and terminals to show.
"""

import asyncio
import json
from urllib.parse import urlsplit

from lib.adapters.openai.profile import Profile, Wishes, first_profile, from_text, profile_key, summary, to_text, wished
from lib.domain.errors import Retry
from lib.log import get
from lib.ports.analyst import AnalystProfiles

PATIENCE_S = 2.0
"""The seconds a store is waited for."""
_log = get("analyst")


class Memory:
    """The profiles of the provider at *base_url*, under the operator's *wishes*."""

    def __init__(self, base_url: str, wishes: Wishes, profiles: AnalystProfiles | None) -> None:
        self._base_url, self._wishes, self._shared = base_url, wishes, profiles
        self._known: dict[str, Profile] = {}
        self._told: dict[str, str] = {}

    async def profile(self, model: str) -> Profile:
        """The profile of *model*: as learnt here, else as stored, else the first one."""
        if model not in self._known:
            remembered = await self._remembered(model)
            first = first_profile(self._base_url, self._wishes)
            self._known[model] = first if remembered is None else wished(remembered, self._wishes)
        return self._known[model]

    async def keep(self, model: str, profile: Profile, answered: str) -> None:
        """Keep *profile*, which was accepted by *model*, whose answers name it *answered*."""
        self._known[model] = profile
        told = self._text(model, profile, answered)
        if self._told.get(model) == told or self._shared is None:
            return
        self._told[model] = told
        try:
            await asyncio.wait_for(self._shared.write(profile_key(self._base_url, model), told), PATIENCE_S)
        except (Retry, OSError) as away:
            _log.warning("analyst.not_remembered", why=str(away) or type(away).__name__)

    async def _remembered(self, model: str) -> Profile | None:
        if self._shared is None:
            return None
        try:
            text = await asyncio.wait_for(self._shared.read(profile_key(self._base_url, model)), PATIENCE_S)
            return from_text(json.dumps(json.loads(text)["profile"])) if text else None
        except (Retry, OSError) as away:
            _log.warning("analyst.not_remembered", why=str(away) or type(away).__name__)
        except (ValueError, TypeError, LookupError):
            _log.warning("analyst.not_remembered", why="what was remembered cannot be read")
        return None

    def _text(self, model: str, profile: Profile, answered: str) -> str:
        host = urlsplit(self._base_url).hostname or ""
        about = {"host": host, "model": model, "answered": answered, "how": summary(profile)}
        return json.dumps({**about, "profile": json.loads(to_text(profile))}, ensure_ascii=False)
