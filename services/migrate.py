"""Bring the database to this release's schema; safe to run many times, at once, and on every release."""

from lib import bootstrap
from lib.settings import Settings
from services.process import run_process


def main(settings: Settings) -> None:
    """Entry point under `run_process`."""
    settings.require("DATABASE_URL")
    bootstrap.migrate(settings)


if __name__ == "__main__":
    run_process("migrate", main)
