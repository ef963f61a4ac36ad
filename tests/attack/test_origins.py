"""Another site's page, in the browser of somebody signed in, changes nothing by any route, and reads nothing."""

import pytest
import sqlalchemy as sa
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from app.server import Live, routes
from lib.adapters.sql.tables.models import metadata
from tests.attack.conftest import Target

pytestmark = [pytest.mark.server, pytest.mark.enable_socket]

KIM = {"email": "kim@example.com", "password": "correct horse battery", "accepted_risk": True, "locale": "ko"}
FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Origin": "http://testserver@evil.example"},
    {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
BODIES = (
    ("application/json", b'{"on": true, "email": "evil@example.com", "password": "evil evil evil"}'),
    # what a form of another site can send without asking first
    ("text/plain", b'{"on": true}'),
    ("application/x-www-form-urlencoded", b"on=true"),
)
TRIES = [(origin, BODIES[0]) for origin in FOREIGN] + [(FOREIGN[0], body) for body in BODIES[1:]]
LOOKS = frozenset({"sessions", "throttles"})
"""Written by whoever only looks: when a session was seen, how often was tried."""


def acting(target: Target) -> list[tuple[str, str]]:
    """Every route that does something."""
    found = [route for route in routes(Live(target.system)) if isinstance(route, Route)]
    ways = {
        (method, route.path)
        for route in found
        for method in route.methods or ()
        if method not in ("GET", "HEAD", "OPTIONS")
    }
    return sorted((method, path.replace("{", "1").replace("}", "")) for method, path in ways)


def everything(target: Target) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the database but of those tables a look writes into."""
    with target.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in LOOKS
        }


def test_no_route_does_anything_for_another_sites_page(unpaced_at_times: Target) -> None:
    assert unpaced_at_times.client.post("/api/auth/register", json=KIM).status_code == 200
    before, ways = everything(unpaced_at_times), acting(unpaced_at_times)
    assert len(ways) > 30
    for method, path in ways:
        for origin, (kind, body) in TRIES:
            answer = unpaced_at_times.client.request(
                method, path, content=body, headers={"Content-Type": kind, **origin}
            )
            assert answer.status_code == 403, (method, path, origin, answer.text[:100])
            assert "access-control-allow-origin" not in answer.headers
            assert "set-cookie" not in answer.headers, (method, path)
    assert everything(unpaced_at_times) == before
    assert unpaced_at_times.client.get("/api/auth/me").json()["user"]["email"] == KIM["email"], "still inside"


def test_no_reading_is_shared_with_another_site(unpaced_at_times: Target) -> None:
    assert unpaced_at_times.client.post("/api/auth/register", json=KIM).status_code == 200
    for route in routes(Live(unpaced_at_times.system)):
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            for origin in FOREIGN:
                answer = unpaced_at_times.client.get(route.path.replace("{", "1").replace("}", ""), headers=origin)
                shared = {name for name in answer.headers if name.startswith("access-control-")}
                assert shared == set(), (route.path, origin)
                assert answer.headers.get("cross-origin-resource-policy") == "same-origin", route.path


def test_no_socket_opens_for_another_sites_page(unpaced_at_times: Target) -> None:
    assert unpaced_at_times.client.post("/api/auth/register", json=KIM).status_code == 200
    doors = [route.path for route in routes(Live(unpaced_at_times.system)) if isinstance(route, WebSocketRoute)]
    assert doors
    for path in (*doors, "/_stcore/stream"):
        for origin in FOREIGN:
            with pytest.raises(WebSocketDisconnect), unpaced_at_times.client.websocket_connect(path, headers=origin):
                pass
