"""kafka-python: a client in pure Python with threads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors as library_errors
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.structs import OffsetAndMetadata

try:
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
except ImportError:  # before 3.0
    CooperativeStickyAssignor = None

from ..errors import KafkaFailure, lacks
from ..waiting import DEADLINE
from .base import (
    Admin,
    Client,
    Committed,
    Consumer,
    ConsumerOptions,
    Delivery,
    GroupDescription,
    GroupMember,
    Partition,
    Producer,
    ProducerOptions,
    Record,
    Watermarks,
)

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


def failure(exception: BaseException) -> KafkaFailure:
    code = getattr(exception, "errno", None)
    # Where the library wraps the broker's error in one of its own, the code is in the text only.
    if code is None and (named := re.search(r"\[Error (-?\d+)\]", str(exception))):
        code = int(named[1])
    return KafkaFailure(code, f"{type(exception).__name__}: {exception}")


def keep_joining(coordinator: Any) -> None:
    """Works around a fault of kafka-python 3.0: a member that joins again because of new metadata forgets that it does
    so when a poll ends before the group has formed, and stays without partitions and heartbeats for ever."""
    prepare = getattr(coordinator, "_on_join_prepare_async", None)
    if prepare is None:
        return

    async def prepared(*arguments: Any, **options: Any) -> Any:
        coordinator.request_rejoin()
        return await prepare(*arguments, **options)

    coordinator._on_join_prepare_async = prepared


@contextmanager
def failures() -> Iterator[None]:
    try:
        yield
    except library_errors.KafkaError as exception:
        raise failure(exception) from exception


def check(error: Any) -> None:
    """Raises for what the admin client answers in place of raising: a class, its name, or its text."""
    if isinstance(error, str):
        if error == "OK":
            return
        # "[Error 36] TopicAlreadyExistsError: ..." or the bare name of the class.
        number = error.removeprefix("[Error ").split("]")[0]
        if number.lstrip("-").isdigit():
            raise KafkaFailure(int(number), error)
        raise failure(getattr(library_errors, error.split(":")[0])())
    if error is not None and error is not library_errors.NoError:
        raise failure(error())


class PythonProducer(Producer):
    def __init__(self, settings: dict[str, Any], options: ProducerOptions) -> None:
        if options.transactional_id is not None:
            settings = settings | {
                "transactional_id": options.transactional_id,
                "transaction_timeout_ms": int(options.transaction_timeout * 1000),
            }
        with failures():
            self._producer = KafkaProducer(
                acks=options.acks if options.acks == "all" else int(options.acks),
                compression_type=None if options.codec == "none" else options.codec,
                linger_ms=int(options.linger * 1000),
                max_request_size=options.largest_message,
                delivery_timeout_ms=int(options.delivery_timeout * 1000),
                request_timeout_ms=int(options.delivery_timeout * 1000) - 1000,
                max_block_ms=int(min(DEADLINE, options.delivery_timeout) * 1000),
                enable_idempotence=options.idempotent or options.transactional_id is not None,
                **settings,
            )

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> Callable[[], Delivery]:
        with failures():
            future = self._producer.send(
                topic, value=value, key=key, headers=list(headers), partition=partition, timestamp_ms=timestamp
            )

        def wait() -> Delivery:
            with failures():
                metadata = future.get(DEADLINE)
            return Delivery(metadata.partition, metadata.offset)

        return wait

    def flush(self) -> None:
        with failures():
            self._producer.flush(DEADLINE)

    def init_transactions(self) -> None:
        with failures():
            self._producer.init_transactions()

    def begin(self) -> None:
        with failures():
            self._producer.begin_transaction()

    def commit(self) -> None:
        with failures():
            self._producer.commit_transaction()

    def abort(self) -> None:
        with failures():
            self._producer.abort_transaction()

    def send_offsets(self, offsets: Mapping[Partition, int], consumer: Consumer) -> None:
        assert isinstance(consumer, PythonConsumer)
        places = {TopicPartition(*place): OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
        with failures():
            self._producer.send_offsets_to_transaction(places, consumer.group_metadata())

    def close(self) -> None:
        # Short, for a producer that was fenced or whose broker is gone has nothing left to wait for.
        self._producer.close(timeout=1)


class PythonConsumer(Consumer):
    def __init__(self, settings: dict[str, Any], options: ConsumerOptions) -> None:
        self.options = options
        if options.instance is not None:
            settings = settings | {"group_instance_id": options.instance}
        if options.client_id is not None:
            settings = settings | {"client_id": options.client_id}
        with failures():
            self._consumer = KafkaConsumer(
                group_id=options.group,
                enable_auto_commit=False,
                auto_offset_reset="none" if options.reset == "error" else options.reset,
                isolation_level="read_committed" if options.committed_only else "read_uncommitted",
                partition_assignment_strategy=[ASSIGNORS[options.assignor]],
                session_timeout_ms=int(options.session_timeout * 1000),
                heartbeat_interval_ms=int(options.heartbeat_interval * 1000),
                metadata_max_age_ms=int(options.metadata_age * 1000),
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=16 << 20,
                **settings,
            )
        keep_joining(getattr(self._consumer, "_coordinator", None))
        self._closed = False

    def group_metadata(self) -> Any:
        if self._consumer.subscription():
            return self._consumer.group_metadata()
        # Partitions by hand: there is no membership to fence by.
        return self.options.group

    def assign(self, positions: Mapping[Partition, int | None]) -> None:
        self._consumer.assign([TopicPartition(*place) for place in positions])
        for place, offset in positions.items():
            if offset is not None:
                self._consumer.seek(TopicPartition(*place), offset)

    def subscribe(self, topics: Sequence[str], on_rebalance: Callable[[], None] = lambda: None) -> None:
        class Listener(kafka.ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked: Any) -> None:
                pass

            def on_partitions_assigned(self, assigned: Any) -> None:
                on_rebalance()

        self._consumer.subscribe(list(topics), listener=Listener())

    def assignment(self) -> set[Partition]:
        return {Partition(*place) for place in self._consumer.assignment()}

    def poll(self, seconds: float) -> list[Record]:
        with failures():
            polled = self._consumer.poll(timeout_ms=int(seconds * 1000), max_records=1000)
        return [
            Record(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
                value=record.value,
                headers=tuple((name, value) for name, value in record.headers),
                timestamp=record.timestamp,
            )
            for records in polled.values()
            for record in records
        ]

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        places = {
            TopicPartition(*place): OffsetAndMetadata(committed.offset, committed.metadata, -1)
            for place, committed in offsets.items()
        }
        with failures():
            self._consumer.commit(places, timeout_ms=int(DEADLINE * 1000))

    def committed(self, partition: Partition) -> int | None:
        with failures():
            return self._consumer.committed(TopicPartition(*partition), timeout_ms=int(DEADLINE * 1000))

    def offset_for_time(self, partition: Partition, timestamp: int) -> int | None:
        place = TopicPartition(*partition)
        with failures():
            found = self._consumer.offsets_for_times({place: timestamp})[place]
        return None if found is None or found.offset < 0 else found.offset

    def watermarks(self, partition: Partition) -> Watermarks:
        place = TopicPartition(*partition)
        with failures():
            start = self._consumer.beginning_offsets([place])[place]
            return Watermarks(start, self._consumer.end_offsets([place])[place])

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._consumer.close(autocommit=False, timeout_ms=5000)


class PythonAdmin(Admin):
    client = "kafka-python"

    def __init__(self, settings: dict[str, Any]) -> None:
        with failures():
            self._admin = KafkaAdminClient(request_timeout_ms=int(DEADLINE * 1000), **settings)

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        topic = {"num_partitions": partitions, "replication_factor": 1, "configs": dict(config or {})}
        with failures():
            self._admin.create_topics({name: topic})

    def delete_topic(self, name: str) -> None:
        with failures():
            self._admin.delete_topics([name])

    def add_partitions(self, name: str, total: int) -> None:
        with failures():
            self._admin.create_partitions({name: total})

    def topics(self) -> dict[str, int]:
        with failures():
            return {topic["name"]: len(topic["partitions"]) for topic in self._admin.describe_topics()}

    def nodes(self) -> set[int]:
        with failures():
            return {broker["broker_id"] for broker in self._admin.describe_cluster()["brokers"]}

    def topic_config(self, name: str) -> dict[str, str | None]:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        with failures():
            if name not in self.topics():
                lacks(self.client, "the errors of DescribeConfigs, which it passes over")
            described = self._admin.describe_configs([resource], config_filter="all")
        return {key: entry["value"] for key, entry in described["topic"][name].items()}

    def _alter(self, name: str, config: Mapping[str, Any], incremental: bool) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(config))
        with failures():
            result = self._admin.alter_configs([resource], raise_on_unknown=False, incremental=incremental)
        check(result["topic"][name])

    def replace_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        # The library asks for the values that are set and sends them along, so that what it replaces is all there is:
        # a value can go only by being left out of a request that this library does not make.
        lacks(self.client, "an AlterConfigs that leaves out what is set")

    def change_topic_config(
        self, name: str, set_values: Mapping[str, str] | None = None, unset: Iterable[str] = ()
    ) -> None:
        changes: dict[str, Any] = {key: ("SET", value) for key, value in (set_values or {}).items()}
        changes |= {key: ("DELETE", None) for key in unset}
        self._alter(name, changes, incremental=True)

    def groups(self) -> set[str]:
        with failures():
            return {group["group_id"] for group in self._admin.list_groups()}

    def describe_group(self, group: str) -> GroupDescription:
        with failures():
            described = self._admin.describe_groups([group])[group]
        check(described["error"])
        members = []
        for member in described["members"]:
            assigned = (member["member_assignment"] or {}).get("assigned_partitions", ())
            partitions = frozenset(
                Partition(entry["topic"], number) for entry in assigned for number in entry["partitions"]
            )
            members.append(GroupMember(member["client_id"], member.get("group_instance_id"), partitions))
        state = "".join("_" + letter if letter.isupper() else letter for letter in described["group_state"])
        return GroupDescription(state.lstrip("_").upper(), described["protocol_data"], tuple(members))

    def delete_group(self, group: str) -> None:
        with failures():
            check(dict(self._admin.delete_groups([group]))[group])

    def committed(self, group: str, partitions: Iterable[Partition]) -> dict[Partition, Committed]:
        places = [TopicPartition(*place) for place in partitions]
        with failures():
            listed = self._admin.list_group_offsets({group: places})[group]
        return {
            Partition(*place): Committed(committed.offset, committed.metadata or "")
            for place, committed in listed.items()
            if committed.offset >= 0
        }

    def alter_committed(self, group: str, offsets: Mapping[Partition, Committed]) -> None:
        places = {
            TopicPartition(*place): OffsetAndMetadata(committed.offset, committed.metadata, -1)
            for place, committed in offsets.items()
        }
        with failures():
            for error in self._admin.alter_group_offsets(group, places).values():
                check(error)

    def delete_committed(self, group: str, partitions: Iterable[Partition]) -> None:
        with failures():
            results = self._admin.delete_group_offsets(group, [TopicPartition(*place) for place in partitions])
        for error in results.values():
            check(error)

    def delete_records(self, partition: Partition, before: int) -> int:
        place = TopicPartition(*partition)
        with failures():
            return self._admin.delete_records({place: before}, timeout_ms=int(DEADLINE * 1000))[place]["low_watermark"]

    def close(self) -> None:
        self._admin.close()


class PythonClient(Client):
    name = "kafka-python"
    assignors = frozenset(name for name, assignor in ASSIGNORS.items() if assignor is not None)

    @staticmethod
    def version() -> str:
        return kafka.__version__

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security.protocol,
            "retry_backoff_ms": 50,
            "reconnect_backoff_max_ms": 500,
        }
        if self.security.protocol != "PLAINTEXT":
            # Otherwise one that is refused tries again for half a minute.
            settings["bootstrap_timeout_ms"] = 3000
        if self.security.tls_authority:
            settings["ssl_cafile"] = self.security.tls_authority
        if self.security.mechanism:
            settings["sasl_mechanism"] = self.security.mechanism
            settings["sasl_plain_username"] = self.security.user
            settings["sasl_plain_password"] = self.security.password
        return settings

    def _make_producer(self, options: ProducerOptions) -> Producer:
        return PythonProducer(self._settings(), options)

    def _make_consumer(self, options: ConsumerOptions) -> Consumer:
        return PythonConsumer(self._settings(), options)

    def _make_admin(self) -> Admin:
        return PythonAdmin(self._settings())
