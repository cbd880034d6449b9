"""A member of a group that polls on a thread of its own, as an application would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from .clients.base import Client, Consumer, Partition, Record
from .errors import KafkaFailure
from .waiting import DEADLINE

Result = TypeVar("Result")


class Member:
    """Joins at once, collects what it reads, and leaves when it is closed."""

    def __init__(self, client: Client, topics: Sequence[str], **options: Any) -> None:
        self.records: list[Record] = []
        self.assignment: set[Partition] = set()
        # How often an assignment has come.
        self.rebalances = 0
        self.failure: KafkaFailure | None = None
        self._client, self._topics, self._options = client, topics, options
        self._work: SimpleQueue[tuple[Callable[[Consumer], Any], Future[Any]]] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        # Made here, so that a client that lacks what is asked for skips the test and not the thread.
        self._consumer = client.consumer(**options)
        self._thread.start()

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    def call(self, work: Callable[[Consumer], Result]) -> Result:
        """Runs something on the member's thread, since a consumer belongs to one thread."""
        result: Future[Result] = Future()
        self._work.put((work, result))
        return result.result(DEADLINE)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the member did not close"

    def _rebalanced(self) -> None:
        self.rebalances += 1

    def _run(self) -> None:
        try:
            self._consumer.subscribe(self._topics, self._rebalanced)
            while not self._closing.is_set():
                self.records += self._consumer.poll(0.05)
                self.assignment = self._consumer.assignment()
                self._do_work()
        except KafkaFailure as failure:
            self.failure = failure
        finally:
            self.assignment = set()
            self._consumer.close()

    def _do_work(self) -> None:
        while True:
            try:
                work, result = self._work.get_nowait()
            except Empty:
                return
            try:
                result.set_result(work(self._consumer))
            except BaseException as failure:
                result.set_exception(failure)
