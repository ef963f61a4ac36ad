"""
Settings that can each be read and are unsafe together or where they are used: one clear line, and no value in it.
"""

from collections.abc import Iterable
from pathlib import Path

from lib.domain.errors import Halt

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LEAST_TOKEN = 16
"""Characters of a token that others on the network may try to guess."""


def refuse_equal_secrets(named: Iterable[tuple[str, str]]) -> None:
    """One value in two places is a copy by mistake, and who learns one learns both. *named* are names and values."""
    held: dict[str, str] = {}
    for name, value in named:
        if value and held.setdefault(value, name) != name:
            raise Halt(f"{held[value]} and {name} hold the same value: each must be its own, see `services.keys`")


def refuse_weak_token(host: str, token: str) -> None:
    """*Halt* for a simulator whose *host* is not this machine alone, behind a *token* that can be guessed."""
    if host not in LOOPBACK and token and (len(token) < LEAST_TOKEN or len(set(token)) < LEAST_TOKEN // 2):
        raise Halt(f"SIMULATOR_TOKEN can be guessed: take {LEAST_TOKEN} random characters or more")


def refuse_forgetful_disk(platform: str, database_url: str, redis_url: str, data_dir: Path) -> None:
    """
    *Halt* for stores in files where *platform* ("" = none) forgets files at a restart.

    Only what is mounted outlives it there; Heroku mounts nothing. A process that needs no store is told of none.
    """
    is_file = database_url.startswith("sqlite") or redis_url.startswith("unix:")
    if is_file and disk_forgets(platform, data_dir):
        raise Halt(
            "this platform's disk is ephemeral: add a MySQL and a Redis add-on (DATABASE_URL, REDIS_URL), "
            "or mount a volume and name it in DATA_DIR"
        )


def refuse_careless_real_money(database_url: str, *, own_prices: bool) -> None:
    """
    *Halt* for a process of a deployment with real money that lacks what its gates rest on; the first lack is said.

    The gates are judged by rows that the web may not write, which only a database server can keep it from, and
    *own_prices* = what is decided on are the prices of the venue itself. A process told of no database is not asked
    for one.
    """
    _refuse_real_money(
        (database_url.startswith("sqlite"), "DATABASE_URL must be a MySQL or MariaDB server, with a user for the web"),
        (not own_prices, "BYBIT_API_URL and BYBIT_WS_URL must be left out: prices come from the venue itself"),
    )


def refuse_careless_web(public_url: str, guests: int) -> None:
    """
    *Halt* for a web beside real money on which people could be overheard while they prove who they are, or which lets
    people in who have no name.
    """
    _refuse_real_money(
        (not public_url.startswith("https://"), "PUBLIC_URL must be the https:// address people open this server by"),
        (guests > 0, "MOST_GUESTS must be 0: no guests beside real money"),
    )


def _refuse_real_money(*lacks: tuple[bool, str]) -> None:
    for lacking, what in lacks:
        if lacking:
            raise Halt(f"VENUES=mainnet is refused: {what}; see docs/deployment.md")


def disk_forgets(platform: str, data_dir: Path) -> bool:
    """Whether *platform* ("" = none) forgets the files under *data_dir* at a restart."""
    return platform == "DYNO" or bool(platform and not _is_on_a_volume(data_dir))


def _is_on_a_volume(folder: Path) -> bool:
    places = (folder.absolute(), *folder.absolute().parents)
    return any(place.is_mount() for place in places if place != Path("/"))
