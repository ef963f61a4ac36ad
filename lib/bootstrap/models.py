"""Lists of models, wired: the terminal's writes, and the profile of the environment's own model."""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from lib.accounts.models import ModelHouse, OwnModelDesk
from lib.adapters.openai.prices import priced
from lib.adapters.sql.forms.analyst_profiles import SqlAnalystProfiles
from lib.adapters.sql.forms.model_lists import SqlModelRegister, SqlModels
from lib.adapters.vault import ModelKeyOpener, ModelKeySealer, public_key
from lib.bootstrap.analyst import prices_of
from lib.clock import Clock
from lib.domain.model_profile import DEFAULT_MODEL, KeptModel, ModelProfile, seal_of
from lib.ports.models import ModelDesk, ModelRegister
from lib.ports.secrets import ModelSealer
from lib.settings import Settings

LONGEST_SHOWN_HERE = 60


def own_model_desk(settings: Settings, engine: sa.Engine, clock: Clock) -> OwnModelDesk:
    """What a signed-in person may do with models."""
    sealer = ModelKeySealer(settings.encryption_public_key) if settings.encryption_public_key else None
    house = ModelHouse(environment_model(settings), priced, sealer, settings.own_model_hosts)
    return OwnModelDesk(SqlModels(engine), house, clock)


def listed_models(settings: Settings, engine: sa.Engine) -> ModelDesk:
    """The lists as the trader asks them."""
    from lib.adapters.openai.listed import ListedModels  # slow to import, and most processes ask nobody

    opener, profiles = ModelKeyOpener(settings.key_ring), SqlAnalystProfiles(engine)
    return ListedModels(SqlModels(engine), opener, profiles, settings.own_model_hosts)


def environment_model(settings: Settings) -> ModelProfile:
    """The first of the list: what `OPENAI_*` says, always as it is now, so that nothing is copied at an upgrade."""
    name, url = settings.openai_model, settings.openai_base_url
    cutoff, prices = settings.analyst_cutoff, prices_of(settings)
    return ModelProfile(DEFAULT_MODEL, name[:LONGEST_SHOWN_HERE], url, name, prices, cutoff=cutoff)


@dataclass(frozen=True, slots=True)
class ModelControl:
    """The list at the hand of a terminal; *sealer* None = no key of the trader is here to seal for."""

    register: ModelRegister
    sealer: ModelSealer | None
    environment: ModelProfile
    clock: Clock

    def known(self, profile: ModelProfile) -> ModelProfile:
        """*profile* with known prices where nobody gave any."""
        return priced(profile)

    def keep(self, kept: KeptModel, key: str | None) -> None:
        """Put it on the list; *key* None = the key it has, "" = none."""
        if key is not None:
            kept = replace(kept, key_version=kept.key_version + 1, sealed="", last4=key[-4:])
            if key:
                kept = replace(kept, sealed=self._sealed(key, kept))
        self.register.keep(kept, self.clock.now_ms())

    def _sealed(self, key: str, kept: KeptModel) -> str:
        if self.sealer is None:
            raise ValueError("a key is sealed for the trader: ENCRYPTION_PUBLIC_KEY (or ENCRYPTION_KEY) is not here")
        return self.sealer.seal(key, seal_of(kept))


def model_control(settings: Settings, engine: sa.Engine, clock: Clock) -> ModelControl:
    """The list over the terminal's own stores."""
    public = settings.encryption_public_key
    if not public and settings.encryption_key:
        public = public_key(settings.encryption_key)
    sealer = ModelKeySealer(public) if public else None
    return ModelControl(SqlModelRegister(engine), sealer, environment_model(settings), clock)
