"""Rotating keys loses none: killed at any row, each opens all the time, and an old pair goes when none needs it."""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lib import bootstrap, settings
from lib.accounts.second_factor import bound_to
from lib.adapters.sql.database.engine import make_engine
from lib.adapters.sql.database.transactions import transact
from lib.adapters.sql.forms.accounts import SqlAccounts
from lib.adapters.sql.recovery import resealing
from lib.adapters.sql.recovery.seals import locked_secrets, replace_key, sealed_keys
from lib.adapters.sql.tables.people import credentials
from lib.adapters.sql.tables.safety import authenticators
from lib.adapters.vault import VaultOpener, VaultSealer, generate_keys
from lib.adapters.web_lock import WebLock, new_secret
from lib.domain.account_records import NewAccount
from lib.domain.api_key import ApiKey, SealContext
from lib.domain.errors import Halt
from lib.settings import Settings
from services import keys, local_secrets
from tests.log_state import logs_put_back

PEOPLE = 3
OLD, NEW = generate_keys(), generate_keys()
OLD_WEB, NEW_WEB = new_secret(), new_secret()


@dataclass
class Deployment:
    """A database with sealed keys and authenticators, and what its environment says."""

    url: str
    engine: sa.Engine
    env: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return settings.load(self.env)

    def opens_all(self, *private: str, web: tuple[str, ...]) -> bool:
        """Whether every secret of the database opens to what was sealed, with these keys."""
        opener, lock = VaultOpener(private), WebLock(web[0], web[1:])
        with self.engine.connect() as connection:
            kept = {key.account_id: opener.open(key.sealed, key.context) for key in sealed_keys(connection)}
            locked = {one.user_id: lock.open(one.sealed, bound_to(one.user_id)) for one in locked_secrets(connection)}
        return [key.api_key for key in kept.values()] == [f"key-{n}" for n in range(1, PEOPLE + 1)] and locked == {
            n: f"secret-{n}" for n in range(1, PEOPLE + 1)
        }


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Entry points set the logs up for good."""
    with logs_put_back():
        yield


@pytest.fixture
def here(sqlite_engine: sa.Engine) -> Deployment:
    url = f"sqlite:///{sqlite_engine.url.database}"
    env = {"DATABASE_URL": url, "INSTALLATION": "here", "ENCRYPTION_KEY": NEW[0], "WEB_SECRET": NEW_WEB}
    env |= {"ENCRYPTION_KEYS_OLD": OLD[0], "WEB_SECRETS_OLD": OLD_WEB, "ENCRYPTION_PUBLIC_KEY": NEW[1]}
    fill(sqlite_engine, OLD[1], OLD_WEB)
    return Deployment(url, sqlite_engine, env)


def fill(engine: sa.Engine, public: str, web_secret: str) -> None:
    accounts, sealer, lock = SqlAccounts(engine), VaultSealer(public), WebLock(web_secret)
    for number in range(1, PEOPLE + 1):
        user_id = accounts.add_user(f"person{number}@example.com", "!")
        key, uid = ApiKey(f"key-{number}", f"secret-of-{number}"), f"100{number}"
        sealed = sealer.seal(key, SealContext(user_id, "paper", uid, 1))
        accounts.add_account(
            NewAccount(user_id, "paper", "synthetic", uid, "BTCUSDT", sealed, "0001", 1, Decimal(10_000), 0)
        )
        row = {"user_id": user_id, "sealed": lock.lock(f"secret-{user_id}", bound_to(user_id)), "confirmed": True}
        with engine.begin() as connection:
            connection.execute(sa.insert(authenticators).values(row))


def test_every_secret_comes_under_the_new_keys_and_the_old_are_not_needed(here: Deployment) -> None:
    assert bootstrap.standing(here.settings).waiting == 2 * PEOPLE
    done = bootstrap.rotate(here.settings)
    assert (done.resealed, done.fresh, done.waiting, done.unopened) == (2 * PEOPLE, 2 * PEOPLE, 0, [])
    assert done.is_done
    assert here.opens_all(NEW[0], web=(NEW_WEB,))
    again = bootstrap.rotate(here.settings)
    assert (again.resealed, again.is_done) == (0, True)


class Killed(Exception):
    """The process is gone here."""


def killing(at: int, *, committed: bool) -> Callable[..., Any]:
    """`transact`, which dies at the *at*th write: right before it commits, or right after."""
    writes = 0

    def transact_or_die(engine: sa.Engine, work: Callable[[sa.Connection], Any], *, readonly: bool = False) -> Any:
        nonlocal writes
        writes += not readonly
        dies = not readonly and writes == at

        def dying(connection: sa.Connection) -> Any:
            result = work(connection)
            if dies and not committed:
                raise Killed
            return result

        result = transact(engine, dying, readonly=readonly)
        if dies:
            raise Killed
        return result

    return transact_or_die


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("at", range(1, 2 * PEOPLE + 1))
def test_killed_at_any_row_every_secret_opens_and_the_next_run_goes_on(
    here: Deployment, monkeypatch: pytest.MonkeyPatch, at: int, committed: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(resealing, "transact", killing(at, committed=committed))
        with pytest.raises(Killed):
            bootstrap.rotate(here.settings)
    assert here.opens_all(NEW[0], OLD[0], web=(NEW_WEB, OLD_WEB))
    written = at if committed else at - 1
    done = bootstrap.rotate(here.settings)
    assert done.resealed == 2 * PEOPLE - written
    assert here.opens_all(NEW[0], web=(NEW_WEB,))


def test_a_key_that_came_meanwhile_stays(here: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person's new key is what counts; ours would bring the one before back."""
    true = replace_key

    def beaten(connection: sa.Connection, row: Any, sealed: str) -> bool:
        if row.row_id == 1 and sealed != theirs:
            connection.execute(sa.update(credentials).where(credentials.c.id == 1).values(sealed=theirs))
        return true(connection, row, sealed)

    theirs = VaultSealer(NEW[1]).seal(ApiKey("key-1", "typed a moment ago"), SealContext(1, "paper", "1001", 1))
    monkeypatch.setattr(resealing, "replace_key", beaten)
    assert bootstrap.rotate(here.settings).is_done
    with here.engine.connect() as connection:
        assert connection.scalar(sa.select(credentials.c.sealed).where(credentials.c.id == 1)) == theirs


def test_what_no_key_opens_is_named_and_left_alone(here: Deployment) -> None:
    del here.env["ENCRYPTION_KEYS_OLD"]
    found = bootstrap.rotate(here.settings)
    assert not found.is_done
    assert [line.split(" (")[0] for line in found.unopened] == [
        f"the exchange key of account {number}" for number in range(1, PEOPLE + 1)
    ]
    assert here.opens_all(OLD[0], web=(NEW_WEB,))


def test_a_web_that_would_go_on_sealing_for_another_pair_is_refused(here: Deployment) -> None:
    here.env["ENCRYPTION_PUBLIC_KEY"] = OLD[1]
    with pytest.raises(Halt, match="not the public half"):
        bootstrap.rotate(here.settings)
    assert here.opens_all(OLD[0], web=(OLD_WEB,))


def test_a_lock_opens_what_an_older_secret_locked_and_locks_with_the_newest() -> None:
    ring = WebLock(NEW_WEB, (OLD_WEB,))
    assert ring.open(WebLock(OLD_WEB).lock("text", "x"), "x") == "text"
    assert WebLock(NEW_WEB).open(ring.lock("text", "x"), "x") == "text"
    assert WebLock(OLD_WEB).open(ring.lock("text", "x"), "x") is None


def test_of_make_run_it_makes_the_pair_itself_and_the_old_one_goes_only_on_purpose(
    here: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    here.engine.dispose()
    Path(here.engine.url.database or "").rename(folder / "maemae.db")
    for name in settings.DATABASE_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(folder))
    file = folder / local_secrets.NAME
    own = {"ENCRYPTION_KEY": OLD[0], "ENCRYPTION_PUBLIC_KEY": OLD[1], "WEB_SECRET": OLD_WEB, "INSTALLATION": "here"}
    file.write_text(json.dumps(own | {"SIMULATOR_TOKEN": "a-token-for-this-test"}))
    assert keys.main(["rotate"]) == 0
    made = json.loads(file.read_text())
    assert made["ENCRYPTION_KEY"] not in (OLD[0], NEW[0])
    assert (made["ENCRYPTION_KEYS_OLD"], made["WEB_SECRETS_OLD"]) == (OLD[0], OLD_WEB)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    moved = Deployment("", make_engine(f"sqlite:///{folder / 'maemae.db'}"))
    assert moved.opens_all(made["ENCRYPTION_KEY"], web=(made["WEB_SECRET"],))
    assert keys.main(["rotate", "--forget-old"]) == 0
    after = json.loads(file.read_text())
    assert "ENCRYPTION_KEYS_OLD" not in after
    assert after["ENCRYPTION_KEY"] == made["ENCRYPTION_KEY"]
    assert keys.main(["standing"]) == 0
    said = capsys.readouterr().out
    assert not any(secret in said for secret in (*OLD[:1], OLD_WEB, made["ENCRYPTION_KEY"], made["WEB_SECRET"]))
    moved.engine.dispose()


def test_without_a_word_it_prints_a_fresh_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.main([]) == 0
    said = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    pairs = {"ENCRYPTION_KEY", "ENCRYPTION_PUBLIC_KEY", "NOTIFIER_KEY", "NOTIFIER_PUBLIC_KEY"}
    assert set(said) == {*pairs, "WEB_SECRET"}


def test_the_ring_is_the_key_in_use_and_those_of_before_and_is_never_shown(here: Deployment) -> None:
    assert here.settings.key_ring == (NEW[0], OLD[0])
    assert OLD[0] not in repr(here.settings)
