"""Kafka's error codes, the same whatever the client that reports them."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

import pytest


class Code(IntEnum):
    """The codes that the suites name; see Apache Kafka's protocol guide for the rest."""

    UNKNOWN_SERVER_ERROR = -1
    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    UNKNOWN_TOPIC_OR_PARTITION = 3
    MESSAGE_TOO_LARGE = 10
    INVALID_TOPIC = 17
    UNKNOWN_MEMBER_ID = 25
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_CONFIG = 40
    INVALID_PRODUCER_EPOCH = 47
    INVALID_TRANSACTION_TIMEOUT = 50
    SASL_AUTHENTICATION_FAILED = 58
    NON_EMPTY_GROUP = 68
    GROUP_ID_NOT_FOUND = 69
    FENCED_INSTANCE_ID = 82
    GROUP_SUBSCRIBED_TO_TOPIC = 86
    INVALID_RECORD = 87
    PRODUCER_FENCED = 90


class KafkaFailure(Exception):
    """An error that a client reported. `code` is Kafka's, or None where the client made up one of its own."""

    def __init__(self, code: int | None, text: str) -> None:
        super().__init__(f"[{code}] {text}")
        self.code = code


def lacks(client: str, what: str) -> NoReturn:
    """Skips the test: the client library cannot do what the test is about, so nothing is learnt of the broker."""
    pytest.skip(f"{client} lacks {what}")
