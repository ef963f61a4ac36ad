"""
Bybit's WebSockets, `/v5/public/linear` and `/v5/private`: connections, subscriptions and the frames each is sent.

All of it happens in the event loop's one thread; frames are queued, never awaited. Invariants: a connection only gets
topics it subscribed to, a private connection only its own uid's; order, execution, position and wallet frames of one
change arrive in an order no client may rely on (seeded), each topic in its own order. No replay after a reconnect.
"""

import asyncio
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

import msgspec
from aiohttp import web

from lib.clock import Clock
from lib.simulator.engine.faults import Faults
from lib.simulator.engine.orders import Refused
from lib.simulator.stream.connection import Connection, accept
from lib.simulator.stream.topics import Frame, KlineTopic, MessageSource, TickerTopic, open_topic

PUBLIC, PRIVATE = "/v5/public/linear", "/v5/private"
PRIVATE_TOPICS = frozenset({"order", "execution", "position", "wallet"})
CATEGORISED = frozenset(f"{topic}.linear" for topic in PRIVATE_TOPICS - {"wallet"})
MAX_ARGS_CHARS = 21_000

Command = dict[str, Any]


Gate = Callable[[str, int, str], int]
"""The uid of (API key, expiry in epoch ms, signature); *Refused* when they prove nothing."""


class Streams:
    """All WebSocket connections of one simulator; *seed* decides the order of private topics."""

    def __init__(self, source: MessageSource, gate: Gate, faults: Faults, clock: Clock, seed: str = "0") -> None:
        self._source, self._gate, self._faults, self._clock, self._seed = source, gate, faults, clock, seed
        self.symbols: tuple[str, ...] = ()
        self._connections: dict[str, list[Connection]] = {PUBLIC: [], PRIVATE: []}
        self._topics: dict[str, KlineTopic | TickerTopic] = {}
        self._accepted = 0
        self._pushed = 0
        self._refuse_until = 0
        self._goodbyes: set[asyncio.Task[None]] = set()

    def count(self) -> dict[str, int]:
        """Open connections by path."""
        return {path: len(connections) for path, connections in self._connections.items()}

    def subscriptions(self) -> int:
        """Topics subscribed to, over all connections."""
        return sum(len(c.topics) for connections in self._connections.values() for c in connections)

    # --- connections --------------------------------------------------------------------------------------------------

    async def public(self, request: web.Request) -> web.StreamResponse:
        """Handler of `/v5/public/linear`."""
        return await self._serve(request, PUBLIC, self._on_public)

    async def private(self, request: web.Request) -> web.StreamResponse:
        """Handler of `/v5/private`."""
        return await self._serve(request, PRIVATE, self._on_private)

    async def _serve(
        self, request: web.Request, path: str, answer: Callable[[Connection, Command], None]
    ) -> web.StreamResponse:
        if self._clock.now_ms() < self._refuse_until:
            return web.Response(status=503)
        self._accepted += 1
        connection = await accept(request, f"sim-{self._accepted}")
        connection.silent = self._faults.take("ws_silent", path=path) is not None
        self._connections[path].append(connection)
        try:
            await connection.talk(lambda peer, text: self._on_text(peer, text, path, answer))
        finally:
            self._connections[path].remove(connection)
            self._forget_unheard_topics()
        return connection.response

    async def close(self) -> None:
        """Close every connection, as a service restart."""
        everyone = [c for connections in self._connections.values() for c in connections]
        await asyncio.gather(*(c.close(1012) for c in everyone), *self._goodbyes, return_exceptions=True)

    # --- what peers say -----------------------------------------------------------------------------------------------

    def _on_text(self, peer: Connection, text: str, path: str, answer: Callable[[Connection, Command], None]) -> None:
        try:
            command = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            peer.send({"success": False, "ret_msg": "error:invalid request", "conn_id": peer.name, "op": ""})
            return
        if command.get("op") == "ping" and self._faults.take("ws_no_pong", path=path):
            return
        answer(peer, command)

    def _on_public(self, peer: Connection, command: Command) -> None:
        match command.get("op"):
            case "ping":
                _ack(peer, command, ret_msg="pong")
            case "subscribe":
                self._subscribe_public(peer, command)
            case "unsubscribe":
                peer.topics.difference_update(_args(command))
                self._forget_unheard_topics()
                _ack(peer, command)
            case _:
                _nack(peer, command, "error:unknown op")

    def _on_private(self, peer: Connection, command: Command) -> None:
        match command.get("op"):
            case "ping":
                echo = {"req_id": command["req_id"]} if "req_id" in command else {}
                peer.send(echo | {"op": "pong", "args": [str(self._clock.now_ms())], "conn_id": peer.name})
            case "auth":
                self._authenticate(peer, command)
            case "subscribe":
                self._subscribe_private(peer, command)
            case "unsubscribe":
                peer.topics.difference_update(_args(command))
                _ack(peer, command)
            case _:
                _nack(peer, command, "error:unknown op")

    def _authenticate(self, peer: Connection, command: Command) -> None:
        try:
            if self._faults.take("ws_auth_reject", path=PRIVATE):
                raise Refused(10004, "error:auth failed")
            peer.uid = self._proved(command.get("args"))
        except Refused as refused:
            _nack(peer, command, refused.text)
            return
        _ack(peer, command)

    def _proved(self, args: Any) -> int:
        if not isinstance(args, list) or len(args) != 3 or not str(args[1]).isdecimal():
            raise Refused(10001, "error:auth args are key, expiry and signature")
        return self._gate(str(args[0]), int(args[1]), str(args[2]))

    def _subscribe_private(self, peer: Connection, command: Command) -> None:
        topics = set(_args(command))
        if peer.uid is None:
            _nack(peer, command, "error:request not authorized")
        elif self._faults.take("ws_subscribe_reject", path=PRIVATE) or not topics <= PRIVATE_TOPICS | CATEGORISED:
            _nack(peer, command, f"error:handler not found,topic:{_first_unknown(topics)}")
        elif topics & CATEGORISED and topics & {name.partition(".")[0] for name in CATEGORISED}:
            _nack(peer, command, "error:all-in-one and categorised topics cannot share a request")
        else:
            peer.topics |= topics
            _ack(peer, command)

    def _subscribe_public(self, peer: Connection, command: Command) -> None:
        wanted, now = _args(command), self._clock.now_ms()
        try:
            if self._faults.take("ws_subscribe_reject", path=PUBLIC):
                raise ValueError(f"error:handler not found,topic:{''.join(wanted[:1])}")
            if taken := peer.topics.intersection(wanted):
                raise ValueError(f"error:already subscribed,topic:{min(taken)}")
            opened = {name: self._topics.get(name) or self._open(name, now) for name in wanted}
        except ValueError as error:
            _nack(peer, command, str(error))
            return
        self._topics |= opened
        early = self._faults.take("ws_data_before_ack", path=PUBLIC) is not None
        firsts = [frame for topic in opened.values() if (frame := topic.current(now))]
        if not early:
            _ack(peer, command)
        for frame in firsts:
            peer.send(frame)
        if early:
            _ack(peer, command)
        peer.topics.update(wanted)

    def _open(self, name: str, now: int) -> KlineTopic | TickerTopic:
        return open_topic(self._source, name, self.symbols, now)

    def _forget_unheard_topics(self) -> None:
        heard: set[str] = set().union(*(c.topics for c in self._connections[PUBLIC]))
        self._topics = {name: topic for name, topic in self._topics.items() if name in heard}

    # --- what peers are told ------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Push the last second's changes on the public topics; called about once a second."""
        self._disturb()
        now = self._clock.now_ms()
        for name, topic in list(self._topics.items()):
            frames = topic.frames(now)
            if isinstance(topic, KlineTopic):
                frames = self._spoil(topic, frames, now)
            for peer in self._connections[PUBLIC]:
                if name in peer.topics:
                    for frame in frames:
                        peer.send(frame)

    def push(self, changes: Iterable[tuple[int, str, Frame]]) -> None:
        """Send private *changes* (uid, topic, frame) to their owners, topics in a seeded disorder."""
        batch = list(changes)
        self._pushed += 1
        batch.sort(key=lambda change: self._rank(change[1]))  # stable: each topic keeps its own order
        for uid, topic, frame in batch:
            for peer in self._connections[PRIVATE]:
                if peer.uid == uid:
                    _tell(peer, topic, frame)

    def _rank(self, topic: str) -> bytes:
        return blake2b(f"{self._seed}|{self._pushed}|{topic}".encode(), digest_size=8).digest()

    # --- faults -------------------------------------------------------------------------------------------------------

    def _disturb(self) -> None:
        """Carry out the faults that cut connections."""
        for path, connections in self._connections.items():
            if not connections:
                continue
            gap = self._faults.take("ws_gap", path=path)
            if gap:
                self._refuse_until = self._clock.now_ms() + gap.number("ms", 120_000)
            if gap or self._faults.take("ws_reset", path=path):
                for peer in list(connections):
                    peer.reset()
            elif self._faults.take("ws_close_1012", path=path):
                for peer in list(connections):
                    self._say_goodbye(peer)

    def _say_goodbye(self, peer: Connection) -> None:
        task = asyncio.create_task(peer.close(1012))
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    def _spoil(self, topic: KlineTopic, frames: list[Frame], now: int) -> list[Frame]:
        """The frames of one push with the armed faults done to closing frames."""
        spoilt: list[Frame] = []
        for frame in frames:
            if not frame["data"][0]["confirm"]:
                spoilt.append(frame)
            elif not self._faults.take("ws_missing_confirm"):
                spoilt.append(frame)
                if self._faults.take("ws_duplicate_confirm"):
                    spoilt.append(frame)
                older = topic.closed_before(now, 3) if self._faults.take("ws_out_of_order") else None
                spoilt += [older] if older else []
        return spoilt


def _tell(peer: Connection, topic: str, frame: Frame) -> None:
    for name in (topic, f"{topic}.linear"):
        if name in peer.topics:
            peer.send(frame | {"topic": name})


def _args(command: Command) -> list[str]:
    args = command.get("args")
    names = [str(name) for name in args] if isinstance(args, list) else []
    return names if sum(map(len, names)) <= MAX_ARGS_CHARS else ["too many args"]


def _first_unknown(topics: set[str]) -> str:
    return min(topics - PRIVATE_TOPICS - CATEGORISED, default=min(topics, default=""))


def _ack(peer: Connection, command: Command, ret_msg: str = "") -> None:
    _reply(peer, command, success=True, ret_msg=ret_msg)


def _nack(peer: Connection, command: Command, ret_msg: str) -> None:
    _reply(peer, command, success=False, ret_msg=ret_msg)


def _reply(peer: Connection, command: Command, *, success: bool, ret_msg: str) -> None:
    frame = {"success": success, "ret_msg": ret_msg, "conn_id": peer.name}
    peer.send(frame | {"req_id": str(command.get("req_id", "")), "op": str(command.get("op", ""))})
