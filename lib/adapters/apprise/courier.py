"""
The way out over Apprise: `lib.ports.notifier.Courier`.

One address a send, read anew each time; the library's own log, which may quote addresses, is off. Its connections are
urllib3's, where `outward` lets them reach the public internet alone.
"""

import apprise
import urllib3.connectionpool

from lib.adapters.apprise.bounds import short_answers_only, within
from lib.adapters.apprise.outward import outward_only
from lib.domain import reason_codes as codes
from lib.domain.errors import Retry
from lib.ports.notifier import Courier

TIMEOUT_S = (5.0, 20.0)
"""To connect, and for each answer."""
SERVICE_S = 60.0
"""For a whole send, less than the sender's lease."""


class AppriseCourier(Courier):
    """Safe from any thread. *private_hosts*: hosts of this network may be called too."""

    def __init__(self, *, private_hosts: bool = False) -> None:
        apprise.logger.disabled = urllib3.connectionpool.log.disabled = True
        outward_only(private_hosts=private_hosts)
        short_answers_only()
        self._asset = apprise.AppriseAsset(
            app_id="Maemae",
            app_url="",
            # the library's own pictures would be fetched from its site by every reader's client
            image_url_mask="",
            image_url_logo="",
            http_redirects=False,
            allow_templates=False,
        )

    def send(self, address: str, title: str, body: str) -> None:
        channel = apprise.Apprise.instantiate(address, asset=self._asset, suppress_exceptions=True)
        if channel is None:
            raise Retry(codes.CHANNEL_ADDRESS_BAD())
        channel.socket_connect_timeout, channel.socket_read_timeout = TIMEOUT_S
        with within(SERVICE_S):
            if not channel.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
                raise Retry(codes.CHANNEL_SILENT())
