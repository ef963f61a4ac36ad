"""People over memory stores, for the tests of coming in and going out."""

from lib.accounts.doors import Doors
from lib.accounts.emails import EmailDesk
from lib.accounts.entrance import PeopleStores
from lib.accounts.passkeys import PasskeyDesk
from lib.accounts.people import People
from lib.accounts.refusal import Refusal
from lib.accounts.resets import ResetDesk
from lib.accounts.safety import Safety
from lib.accounts.web import Origin, SignedIn
from lib.adapters.web_lock import WebLock, new_secret
from lib.domain.platform_settings import Admission
from tests.fakes.people import (
    MemoryBrowsers,
    MemoryEmailLinks,
    MemoryLeaving,
    MemoryLogins,
    MemoryMailer,
    MemoryPasskeys,
    MemoryResetLinks,
    MemorySessions,
    MemoryThrottles,
    QuickHasher,
    StandingClock,
    TrustingCheck,
)

LOCK = WebLock(new_secret())
HOME = Origin("203.0.113.7", "a browser")
GOOD = "correct horse battery"


class Town:
    """People over memory stores; *paper* is what opening a paper account answers."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.logins = MemoryLogins()
        self.sessions = MemorySessions(self.logins)
        self.browsers = MemoryBrowsers()
        self.throttles = MemoryThrottles()
        self.hasher = QuickHasher()
        self.paper: Refusal | None = None
        self.opened: list[int] = []
        self.demo: int | None = None
        self.admission = Admission()
        self.trail = self.sessions.trail
        self.stores = stores = PeopleStores(
            self.logins,
            self.sessions,
            self.browsers,
            self.throttles,
            self.hasher,
            self.trail,
            self.logins.factors,
            LOCK,
        )
        self.doors = Doors(lambda: self.admission, self.clock, 12)
        self.leaving = MemoryLeaving(self.logins)
        self.links = MemoryResetLinks(self.logins)
        self.mailer = MemoryMailer()
        self.resets = ResetDesk(
            stores, self.links, self.clock, mailer=self.mailer, public_url="https://trade.test", later=lambda job: job()
        )
        self.emails = EmailDesk(
            stores,
            MemoryEmailLinks(self.logins),
            self.clock,
            mailer=self.mailer,
            public_url="https://trade.test",
            later=lambda job: job(),
        )
        self.keys = MemoryPasskeys(self.trail)
        self.passkeys = PasskeyDesk(stores, self.keys, TrustingCheck(), self.clock)
        self.people = People(stores, self.clock, self._open_paper, lambda: self.demo, doors=self.doors)
        self.safety = Safety(stores, self.clock, self.leaving, self.emails)

    def _open_paper(self, user_id: int) -> Refusal | None:
        self.opened.append(user_id)
        return self.paper

    def join(self, email: str = "kim@example.com", password: str = GOOD) -> SignedIn:
        result = self.people.register(email, password, accepted_risk=True, origin=HOME)
        assert isinstance(result, SignedIn), result
        return result

    def enter(
        self,
        password: str,
        email: str = "kim@example.com",
        ip: str = HOME.ip,
        browser: str | None = None,
        code: str = "",
    ) -> SignedIn | Refusal:
        return self.people.sign_in(email, password, origin=Origin(ip), browser=browser, code=code)

    def guest(self, ip: str = HOME.ip) -> SignedIn:
        result = self.people.try_paper(accepted_risk=True, origin=Origin(ip))
        assert isinstance(result, SignedIn), result
        return result


def key_of(result: object) -> str:
    assert isinstance(result, Refusal), result
    return result.key
