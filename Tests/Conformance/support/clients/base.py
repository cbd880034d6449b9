"""The face that the tests see of a client: the least that they need, in plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

from ..errors import lacks
from ..waiting import DEADLINE, Deadline


class Partition(NamedTuple):
    topic: str
    partition: int


class Committed(NamedTuple):
    offset: int
    metadata: str


class Watermarks(NamedTuple):
    """The first offset that can be read and the one after the last, as the reader's isolation level sees it."""

    start: int
    end: int


class Delivery(NamedTuple):
    partition: int
    offset: int


Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = -1


@dataclass(frozen=True)
class Security:
    """How to connect where the broker wants TLS, a user's name, or both."""

    tls_authority: str | None = None
    mechanism: str | None = None
    user: str | None = None
    password: str | None = None

    @property
    def protocol(self) -> str:
        sasl = "SASL_" if self.mechanism else ""
        return sasl + ("SSL" if self.tls_authority else "PLAINTEXT")


@dataclass(frozen=True)
class ProducerOptions:
    acks: str = "all"
    codec: str = "none"
    idempotent: bool = False
    transactional_id: str | None = None
    transaction_timeout: float = 30.0
    # Seconds to wait for company in a batch: large enough to make one batch of what is sent in one go.
    linger: float = 0.0
    # What the client itself lets through, in bytes.
    largest_message: int = 8 << 20
    # Seconds until a record that nobody acknowledges is given up.
    delivery_timeout: float = 20.0


@dataclass(frozen=True)
class ConsumerOptions:
    group: str | None = None
    instance: str | None = None
    assignor: str = "range"
    # earliest, latest, or error.
    reset: str = "earliest"
    committed_only: bool = False
    session_timeout: float = 10.0
    # Seconds after which the client asks again which partitions there are.
    metadata_age: float = 60.0
    client_id: str | None = None

    @property
    def heartbeat_interval(self) -> float:
        """Seconds: short, since a member learns of a rebalance by its heartbeat."""
        return min(0.3, self.session_timeout / 5)


class Producer(ABC):
    @abstractmethod
    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> Callable[[], Delivery]:
        """Hands one record to the client. Calling the result waits for its delivery, or raises `KafkaFailure`."""

    @abstractmethod
    def flush(self) -> None: ...

    @abstractmethod
    def init_transactions(self) -> None: ...

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def commit(self) -> None: ...

    @abstractmethod
    def abort(self) -> None: ...

    @abstractmethod
    def send_offsets(self, offsets: Mapping[Partition, int], consumer: Consumer) -> None:
        """Adds the offsets of the consumer's group to the transaction that is open."""

    @abstractmethod
    def close(self) -> None: ...

    def deliver(self, topic: str, value: bytes | None, **options: Any) -> Delivery:
        """Sends one record and waits until it is acknowledged."""
        return self.send(topic, value, **options)()

    def deliver_all(self, topic: str, values: Iterable[bytes | None], **options: Any) -> list[Delivery]:
        """Sends all the records in one go, then waits for each."""
        waiting = [self.send(topic, value, **options) for value in values]
        self.flush()
        return [wait() for wait in waiting]


class Consumer(ABC):
    options: ConsumerOptions

    @abstractmethod
    def assign(self, positions: Mapping[Partition, int | None]) -> None:
        """Reads these partitions from these offsets; None leaves the start to the group or the reset policy."""

    @abstractmethod
    def subscribe(self, topics: Sequence[str], on_rebalance: Callable[[], None] = lambda: None) -> None:
        """Joins the group. `on_rebalance` is called each time that an assignment has come."""

    @abstractmethod
    def assignment(self) -> set[Partition]: ...

    @abstractmethod
    def poll(self, seconds: float) -> list[Record]: ...

    @abstractmethod
    def commit(self, offsets: Mapping[Partition, Committed]) -> None: ...

    @abstractmethod
    def committed(self, partition: Partition) -> int | None: ...

    @abstractmethod
    def offset_for_time(self, partition: Partition, timestamp: int) -> int | None:
        """The first offset at or after that time (ms since 1970), None where there is none."""

    @abstractmethod
    def watermarks(self, partition: Partition) -> Watermarks: ...

    @abstractmethod
    def close(self) -> None: ...

    def read(self, count: int, seconds: float = DEADLINE) -> list[Record]:
        """Polls until that many records have come; more than that may be in the last poll."""
        deadline = Deadline(seconds)
        records: list[Record] = []
        while len(records) < count:
            deadline.check(f"{count} records; came: {len(records)}, last {records[-1:]}")
            records += self.poll(min(0.5, deadline.remaining))
        return records

    def read_until(self, value: bytes, seconds: float = DEADLINE) -> list[Record]:
        """Polls until the record with that value has come, and returns what came before it."""
        deadline = Deadline(seconds)
        records: list[Record] = []
        while True:
            for record in self.poll(min(0.5, deadline.remaining)):
                if record.value == value:
                    return records
                records.append(record)
            deadline.check(f"a record {value!r}; came: {len(records)}, last {records[-1:]}")


@dataclass(frozen=True)
class GroupMember:
    client_id: str
    instance: str | None
    partitions: frozenset[Partition]


@dataclass(frozen=True)
class GroupDescription:
    state: str
    protocol: str
    members: tuple[GroupMember, ...]


class Admin(ABC):
    """Every call raises `KafkaFailure` with the broker's code; what a library lacks skips the test."""

    client: str

    @abstractmethod
    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None: ...

    @abstractmethod
    def delete_topic(self, name: str) -> None: ...

    @abstractmethod
    def add_partitions(self, name: str, total: int) -> None: ...

    @abstractmethod
    def topics(self) -> dict[str, int]:
        """The names of all topics with their numbers of partitions."""

    @abstractmethod
    def nodes(self) -> set[int]: ...

    @abstractmethod
    def topic_config(self, name: str) -> dict[str, str | None]: ...

    @abstractmethod
    def replace_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        """AlterConfigs: what is not named goes back to its default."""

    @abstractmethod
    def groups(self) -> set[str]: ...

    @abstractmethod
    def describe_group(self, group: str) -> GroupDescription: ...

    @abstractmethod
    def committed(self, group: str, partitions: Iterable[Partition]) -> dict[Partition, Committed]:
        """Only the partitions that have a committed offset."""

    @abstractmethod
    def delete_records(self, partition: Partition, before: int) -> int:
        """Returns the partition's new first offset."""

    @abstractmethod
    def close(self) -> None: ...

    def change_topic_config(
        self, name: str, set_values: Mapping[str, str] | None = None, unset: Iterable[str] = ()
    ) -> None:
        """IncrementalAlterConfigs: what is not named stays."""
        lacks(self.client, "IncrementalAlterConfigs")

    def delete_group(self, group: str) -> None:
        lacks(self.client, "DeleteGroups")

    def alter_committed(self, group: str, offsets: Mapping[Partition, Committed]) -> None:
        lacks(self.client, "a commit on behalf of a group")

    def delete_committed(self, group: str, partitions: Iterable[Partition]) -> None:
        lacks(self.client, "OffsetDelete")


@dataclass
class Client(ABC):
    """A client library, connected to one cluster. Closes what it has made, newest first."""

    bootstrap: str
    security: Security = field(default_factory=Security)
    name: ClassVar[str]
    # What the library is able to do; a test of anything else is skipped with the reason.
    codecs: ClassVar[frozenset[str]] = frozenset({"none", "gzip", "snappy", "lz4", "zstd"})
    assignors: ClassVar[frozenset[str]] = frozenset({"range", "roundrobin", "cooperative-sticky"})
    sends_null_key_and_value: ClassVar[bool] = False
    sends_null_header: ClassVar[bool] = False
    reports_out_of_range: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._open = ExitStack()

    @staticmethod
    @abstractmethod
    def version() -> str: ...

    @abstractmethod
    def _make_producer(self, options: ProducerOptions) -> Producer: ...

    @abstractmethod
    def _make_consumer(self, options: ConsumerOptions) -> Consumer: ...

    @abstractmethod
    def _make_admin(self) -> Admin: ...

    def producer(self, **options: Any) -> Producer:
        wanted = replace(ProducerOptions(), **options)
        if wanted.codec not in self.codecs:
            lacks(self.name, f"the codec {wanted.codec}")
        return self._closing(self._make_producer(wanted))

    def transactional_producer(self, transactional_id: str, **options: Any) -> Producer:
        producer = self.producer(transactional_id=transactional_id, **options)
        producer.init_transactions()
        return producer

    def consumer(self, **options: Any) -> Consumer:
        wanted = replace(ConsumerOptions(), **options)
        if wanted.assignor not in self.assignors:
            lacks(self.name, f"the assignor {wanted.assignor}")
        return self._closing(self._make_consumer(wanted))

    def reader(self, partition: Partition, offset: int | None = 0, **options: Any) -> Consumer:
        """A consumer that reads one partition from an offset."""
        consumer = self.consumer(**options)
        consumer.assign({partition: offset})
        return consumer

    def admin(self) -> Admin:
        return self._closing(self._make_admin())

    def close(self) -> None:
        self._open.close()

    def _closing(self, made: Any) -> Any:
        self._open.callback(made.close)
        return made
