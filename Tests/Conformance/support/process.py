"""Programs that a test runs in a process of its own, to kill it: `python -m support.process PROGRAM JSON`.

Each prints a line of JSON for everything that the test waits for.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .clients import CLIENTS
from .clients.base import Client, Partition


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def member(client: Client, arguments: dict[str, Any]) -> None:
    """Joins a group and says what it is assigned, until somebody kills it."""
    consumer = client.consumer(
        group=arguments["group"], assignor=arguments["assignor"], session_timeout=arguments["session_timeout"]
    )
    consumer.subscribe([arguments["topic"]])
    known: set[Partition] = set()
    while True:
        consumer.poll(0.05)
        if (assignment := consumer.assignment()) != known:
            known = assignment
            say(assignment=sorted(place.partition for place in known))


def transform(client: Client, arguments: dict[str, Any]) -> None:
    """Reads, doubles and writes in transactions with the offsets; hangs with the n-th transaction open.

    Says when it hangs, so that the test can kill it there, and when it has done all the input.
    """
    source, target, group = arguments["source"], arguments["target"], arguments["group"]
    hang_in, total, batch = arguments["hang_in"], arguments["total"], arguments["batch"]
    producer = client.transactional_producer(arguments["transactional_id"], transaction_timeout=20.0)
    consumer = client.consumer(group=group, committed_only=True)
    partition = Partition(source, 0)
    position = consumer.committed(partition) if arguments["resume"] else 0
    position = position or 0
    consumer.assign({partition: position})
    say(position=position)
    transactions = 0
    pending: list[Any] = []
    while position < total:
        pending += consumer.poll(0.2)
        records, pending = pending[:batch], pending[batch:]
        if not records:
            continue
        producer.begin()
        for record in records:
            producer.send(target, b"%d" % (2 * int(record.value or b"")), key=record.value, partition=0)
        producer.flush()
        position = records[-1].offset + 1
        producer.send_offsets({partition: position}, consumer)
        transactions += 1
        if transactions == hang_in:
            say(hangs=position)
            threading.Event().wait()
        producer.commit()
        say(committed=position)
    say(done=True)


def load(client: Client, arguments: dict[str, Any]) -> None:
    """Writes numbers one after the other and says each that was acknowledged, until it is killed or has done all."""
    producer = client.producer(idempotent=True, delivery_timeout=60.0)
    window: list[tuple[int, Callable[[], Any]]] = []
    for number in range(arguments["total"]):
        window.append((number, producer.send(arguments["topic"], b"%d" % number, partition=0)))
        if len(window) == 50:
            first, wait = window.pop(0)
            say(acknowledged=first, offset=wait().offset)
    for first, wait in window:
        say(acknowledged=first, offset=wait().offset)
    say(done=True)


PROGRAMS: dict[str, Callable[[Client, dict[str, Any]], None]] = {
    "member": member,
    "transform": transform,
    "load": load,
}


class Process:
    """One of the programs above, started for one client; what it says is in `said`."""

    def __init__(self, program: str, client: Client, **arguments: Any) -> None:
        self.said: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "support.process",
                program,
                json.dumps({"client": client.name, "bootstrap": client.bootstrap, **arguments}),
            ],
            cwd=Path(__file__).resolve().parents[1],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    def last(self, field: str) -> Any:
        """The newest value said of that name, or None."""
        return next((line[field] for line in reversed(self.said) if field in line), None)

    def all(self, field: str) -> list[Any]:
        return [line[field] for line in list(self.said) if field in line]

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9; all that it said before is in `said` afterwards."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


if __name__ == "__main__":
    settings = json.loads(sys.argv[2])
    PROGRAMS[sys.argv[1]](CLIENTS[settings["client"]](settings["bootstrap"]), settings)
