"""
People on the operator's command line.

    reset-link EMAIL [--drop-second-factor]      a link to a new password, shown here once, good for half an hour

It is for who is known to be the owner of that address: whoever has the link has the account. With --drop-second-factor
using it takes the second factor off too, for who lost phone and recovery codes.
"""

import argparse

from lib.accounts.resets import link_by_operator
from lib.bootstrap import PeopleControl


def add_arguments(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The words of these acts."""
    link = acts.add_parser("reset-link")
    link.add_argument("email")
    link.add_argument("--drop-second-factor", action="store_true")


def reset_link(people: PeopleControl, asked: argparse.Namespace) -> list[str]:
    """`reset-link`: the lines to print; *ValueError* with the one line that says why not."""
    drops = bool(asked.drop_second_factor)
    path = link_by_operator(people.logins, people.links, asked.email, people.clock.now_ms(), drops_factor=drops)
    what = "a new password, and the second factor off" if drops else "a new password"
    return [f"{people.public_url or 'https://(this server)'}{path}", f"good once, for 30 minutes: {what}"]
