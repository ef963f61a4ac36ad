"""
How many connections this process can hold: as many as the system lets it open files, less those it needs itself.

A web that runs out of file descriptors cannot open its database either, so everybody is out at once.
"""

import resource

from app.http.doorkeeper import Places

MOST = 4_096
OWN_FILES = 256
"""Database, Redis, libraries, assets being read, and room to spare."""
FILES_WANTED = MOST + OWN_FILES
ONE_ADDRESS = 512
"""Many people can share an address, at work or on a phone: a hundred with two sockets each, and their assets."""
LEAST = 64


def places(trusted_proxies: int) -> Places:
    """Raise the limit of open files as far as it goes; behind proxies of ours theirs is the only address there is."""
    files = _allow_files(FILES_WANTED)
    return Places(max(LEAST, min(MOST, files - OWN_FILES)), None if trusted_proxies else ONE_ADDRESS)


def _allow_files(wanted: int) -> int:
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != resource.RLIM_INFINITY and now < wanted:
        raised = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, most))
        except (ValueError, OSError):
            return now  # macOS says "no limit" and has one
        now = raised
    return wanted if now == resource.RLIM_INFINITY else now
