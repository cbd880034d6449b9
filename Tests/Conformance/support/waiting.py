"""Waiting for a condition with a deadline, never for time to pass."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

# Generous, since a busy machine must not fail a test: a condition that holds is seen at once all the same.
DEADLINE = float(os.environ.get("KSTREAM_CONFORMANCE_DEADLINE", "30"))


def eventually(
    condition: Callable[[], Result], because: str, deadline: float = DEADLINE, interval: float = 0.02
) -> Result:
    """Calls `condition` until its result is true, and returns that result.

    Fails with `because` and the last result when the deadline (seconds) passes first.
    """
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline:g} s: {because}; last seen: {result!r}")
        time.sleep(interval)


class Deadline:
    """The time by which a loop of polls must have found what it looks for."""

    def __init__(self, seconds: float = DEADLINE) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def check(self, because: str) -> None:
        if self.remaining <= 0:
            raise AssertionError(f"not within {self.seconds:g} s: {because}")
