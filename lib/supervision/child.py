"""
One running program: started in a session of its own, its lines handed on, ended gently and then not.

In a session of its own, so that Ctrl-C reaches the supervisor alone, which ends everybody in its order. Whatever the
program left running in its session ends with it.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

CHUNK = 65_536
LONGEST = 1_000_000
"""Bytes of a line without an end, after which it is handed on as it is."""
TAIL_S = 1.0
"""How long the last lines of a program that ended are waited for: something it started may hold the pipe open."""


class Running(Protocol):
    """A program at work."""

    @property
    def pid(self) -> int: ...

    async def ended(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        ...

    def send(self, number: int) -> None:
        """Send it a signal; nothing happens where it has ended."""
        ...


class Child:
    """A program of ours that speaks through a pipe."""

    def __init__(self, process: asyncio.subprocess.Process, reading: "asyncio.Task[None]") -> None:
        self._process = process
        self._reading = reading

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self) -> int:
        status = await self._process.wait()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await asyncio.wait((self._reading,), timeout=TAIL_S)
        self._reading.cancel()
        return status

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


async def start(command: Sequence[str], env: Mapping[str, str], lifeline: int, say: Callable[[str], None]) -> Child:
    """Start *command*; it inherits *lifeline*, and each line it writes goes to *say*. OSError when it cannot be."""
    # a pipe of our own: asyncio's would have a program's end wait for whatever else holds the pipe
    read_end, write_end = os.pipe()
    reader = os.fdopen(read_end, "rb", 0)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
            pass_fds=(lifeline,),
        )
    except BaseException:
        reader.close()
        raise
    finally:
        os.close(write_end)
    return Child(process, asyncio.create_task(_hand_on(reader, say)))


async def _hand_on(pipe: BinaryIO, say: Callable[[str], None]) -> None:
    lines = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), pipe)
    begun = b""
    try:
        while chunk := await lines.read(CHUNK):
            *whole, begun = (begun + chunk).split(b"\n")
            for line in whole:
                say(line.decode(errors="replace"))
            if len(begun) > LONGEST:
                say(begun.decode(errors="replace"))
                begun = b""
        if begun:
            say(begun.decode(errors="replace"))
    finally:
        transport.close()
