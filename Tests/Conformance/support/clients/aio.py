"""aiokafka: a client on asyncio. Its coroutines run on one loop in a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka import errors as library_errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from ..errors import KafkaFailure
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
    Headers,
    Partition,
    Producer,
    ProducerOptions,
    Record,
    Watermarks,
)

Result = TypeVar("Result")

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}


@contextmanager
def failures() -> Iterator[None]:
    try:
        yield
    except library_errors.KafkaError as exception:
        raise KafkaFailure(getattr(exception, "errno", None), f"{type(exception).__name__}: {exception}") from exception
    except asyncio.TimeoutError as exception:
        raise KafkaFailure(None, "aiokafka gave no answer in time") from exception


def check(code: int, message: Any = "") -> None:
    if code != 0:
        raise KafkaFailure(code, f"{library_errors.for_code(code).__name__}: {message}")


class Loop:
    """The asyncio loop that all of aiokafka's objects share, made when the first is."""

    _shared: Loop | None = None

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="aiokafka", daemon=True).start()

    @classmethod
    def shared(cls) -> Loop:
        if cls._shared is None:
            cls._shared = Loop()
        return cls._shared

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = DEADLINE) -> Result:
        async def bounded() -> Result:
            return await asyncio.wait_for(work, seconds)

        with failures():
            return asyncio.run_coroutine_threadsafe(bounded(), self.loop).result()


async def construct(maker: Callable[..., Result], **settings: Any) -> Result:
    # aiokafka's constructors take the loop that runs them.
    return maker(**settings)


class AioProducer(Producer):
    def __init__(self, settings: dict[str, Any], options: ProducerOptions) -> None:
        self._loop = Loop.shared()
        self._transactional = options.transactional_id is not None
        if self._transactional:
            settings = settings | {
                "transactional_id": options.transactional_id,
                "transaction_timeout_ms": int(options.transaction_timeout * 1000),
            }
        else:
            settings = settings | {
                "acks": options.acks if options.acks == "all" else int(options.acks),
                "enable_idempotence": options.idempotent,
            }
        self._producer = self._loop.run(
            construct(
                AIOKafkaProducer,
                compression_type=None if options.codec == "none" else options.codec,
                linger_ms=int(options.linger * 1000),
                max_request_size=options.largest_message,
                max_batch_size=max(16384, options.largest_message) if options.linger else 16384,
                request_timeout_ms=int(options.delivery_timeout * 1000),
                **settings,
            )
        )
        self._started = False
        if not self._transactional:
            self._start()

    def _start(self) -> None:
        if not self._started:
            self._started = True
            try:
                self._loop.run(self._producer.start())
            except KafkaFailure:
                self.close()
                raise

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> Callable[[], Delivery]:
        async def handed() -> asyncio.Future[Any]:
            return await self._producer.send(
                topic, value, key=key, headers=list(headers), partition=partition, timestamp_ms=timestamp
            )

        # The hand-over is awaited, so that records keep their order; the delivery isn't.
        delivery = self._loop.run(handed())

        async def reported() -> Any:
            return await delivery

        def wait() -> Delivery:
            metadata = self._loop.run(reported())
            # With acks=0 there is no report.
            return Delivery(-1, -1) if metadata is None else Delivery(metadata.partition, metadata.offset)

        return wait

    def flush(self) -> None:
        self._loop.run(self._producer.flush())

    def init_transactions(self) -> None:
        self._start()

        async def known() -> None:
            # The library asks for its producer id behind the back of start: the first begin would wait for it.
            await asyncio.shield(self._producer._txn_manager.wait_for_pid())

        self._loop.run(known())

    def begin(self) -> None:
        self._loop.run(self._producer.begin_transaction())

    def commit(self) -> None:
        self._loop.run(self._producer.commit_transaction())

    def abort(self) -> None:
        self._loop.run(self._producer.abort_transaction())

    def send_offsets(self, offsets: Mapping[Partition, int], consumer: Consumer) -> None:
        places = {TopicPartition(*place): offset for place, offset in offsets.items()}
        self._loop.run(self._producer.send_offsets_to_transaction(places, consumer.options.group))

    def close(self) -> None:
        try:
            self._loop.run(self._producer.stop(), seconds=5)
        except KafkaFailure:
            # A fenced producer, or one whose broker is gone, cannot stop in peace.
            pass


class AioConsumer(Consumer):
    def __init__(self, settings: dict[str, Any], options: ConsumerOptions) -> None:
        self.options = options
        self._loop = Loop.shared()
        if options.client_id is not None:
            settings = settings | {"client_id": options.client_id}
        self._consumer = self._loop.run(
            construct(
                AIOKafkaConsumer,
                group_id=options.group,
                group_instance_id=options.instance,
                enable_auto_commit=False,
                auto_offset_reset="none" if options.reset == "error" else options.reset,
                isolation_level="read_committed" if options.committed_only else "read_uncommitted",
                partition_assignment_strategy=(ASSIGNORS[options.assignor],),
                session_timeout_ms=int(options.session_timeout * 1000),
                heartbeat_interval_ms=int(options.heartbeat_interval * 1000),
                metadata_max_age_ms=int(options.metadata_age * 1000),
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=16 << 20,
                **settings,
            )
        )
        self._closed = False
        try:
            self._loop.run(self._consumer.start())
        except KafkaFailure:
            self.close()
            raise

    def assign(self, positions: Mapping[Partition, int | None]) -> None:
        async def assigned() -> None:
            self._consumer.assign([TopicPartition(*place) for place in positions])
            for place, offset in positions.items():
                if offset is not None:
                    self._consumer.seek(TopicPartition(*place), offset)

        self._loop.run(assigned())

    def subscribe(self, topics: Sequence[str], on_rebalance: Callable[[], None] = lambda: None) -> None:
        class Listener(aiokafka.ConsumerRebalanceListener):
            async def on_partitions_revoked(self, revoked: Any) -> None:
                pass

            async def on_partitions_assigned(self, assigned: Any) -> None:
                on_rebalance()

        async def subscribed() -> None:
            self._consumer.subscribe(list(topics), listener=Listener())

        self._loop.run(subscribed())

    def assignment(self) -> set[Partition]:
        async def assigned() -> set[Partition]:
            return {Partition(*place) for place in self._consumer.assignment()}

        return self._loop.run(assigned())

    def poll(self, seconds: float) -> list[Record]:
        polled = self._loop.run(self._consumer.getmany(timeout_ms=int(seconds * 1000), max_records=1000))
        return [
            Record(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                key=record.key,
                value=record.value,
                headers=self._headers(record.headers),
                timestamp=record.timestamp,
            )
            for records in polled.values()
            for record in records
        ]

    @staticmethod
    def _headers(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
        return tuple((name, value) for name, value in headers)

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        places = {TopicPartition(*place): tuple(committed) for place, committed in offsets.items()}
        self._loop.run(self._consumer.commit(places))

    def committed(self, partition: Partition) -> int | None:
        return self._loop.run(self._consumer.committed(TopicPartition(*partition)))

    def offset_for_time(self, partition: Partition, timestamp: int) -> int | None:
        place = TopicPartition(*partition)
        found = self._loop.run(self._consumer.offsets_for_times({place: timestamp}))[place]
        return None if found is None or found.offset < 0 else found.offset

    def watermarks(self, partition: Partition) -> Watermarks:
        place = TopicPartition(*partition)
        start = self._loop.run(self._consumer.beginning_offsets([place]))[place]
        return Watermarks(start, self._loop.run(self._consumer.end_offsets([place]))[place])

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.run(self._consumer.stop())


class AioAdmin(Admin):
    client = "aiokafka"

    def __init__(self, settings: dict[str, Any]) -> None:
        self._loop = Loop.shared()
        self._admin = self._loop.run(construct(AIOKafkaAdminClient, **settings))
        try:
            self._loop.run(self._admin.start())
        except KafkaFailure:
            self.close()
            raise

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        topic = NewTopic(name, partitions, 1, topic_configs=dict(config or {}))
        response = self._loop.run(self._admin.create_topics([topic]))
        for _, code, *message in response.topic_errors:
            check(code, message)

    def delete_topic(self, name: str) -> None:
        response = self._loop.run(self._admin.delete_topics([name]))
        for _, code in response.topic_error_codes:
            check(code)

    def add_partitions(self, name: str, total: int) -> None:
        self._loop.run(self._admin.create_partitions({name: NewPartitions(total)}))

    def topics(self) -> dict[str, int]:
        return {topic["topic"]: len(topic["partitions"]) for topic in self._loop.run(self._admin.describe_topics())}

    def nodes(self) -> set[int]:
        return {broker["node_id"] for broker in self._loop.run(self._admin.describe_cluster())["brokers"]}

    def topic_config(self, name: str) -> dict[str, str | None]:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        [response] = self._loop.run(self._admin.describe_configs([resource]))
        [(code, message, _, _, entries)] = response.resources
        check(code, message)
        return {key: value for key, value, *_ in entries}

    def replace_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(config))
        [response] = self._loop.run(self._admin.alter_configs([resource]))
        [(code, message, *_)] = response.resources
        check(code, message)

    def groups(self) -> set[str]:
        return {group for group, *_ in self._loop.run(self._admin.list_consumer_groups())}

    def describe_group(self, group: str) -> GroupDescription:
        [response] = self._loop.run(self._admin.describe_consumer_groups([group]))
        [described] = response.to_object()["groups"]
        check(described["error_code"])
        members = []
        for member in described["members"]:
            partitions: frozenset[Partition] = frozenset()
            if member["member_assignment"]:
                assigned = ConsumerProtocolMemberAssignment.decode(member["member_assignment"]).assignment
                partitions = frozenset(Partition(topic, number) for topic, numbers in assigned for number in numbers)
            members.append(GroupMember(member["client_id"], member.get("group_instance_id"), partitions))
        state = "".join("_" + letter if letter.isupper() else letter for letter in described["state"])
        return GroupDescription(state.lstrip("_").upper(), described["protocol"], tuple(members))

    def committed(self, group: str, partitions: Iterable[Partition]) -> dict[Partition, Committed]:
        places = [TopicPartition(*place) for place in partitions]
        listed = self._loop.run(self._admin.list_consumer_group_offsets(group, partitions=places))
        return {
            Partition(*place): Committed(committed.offset, committed.metadata or "")
            for place, committed in listed.items()
            if committed.offset >= 0
        }

    def delete_records(self, partition: Partition, before: int) -> int:
        place = TopicPartition(*partition)
        return self._loop.run(self._admin.delete_records({place: RecordsToDelete(before)}))[place]

    def close(self) -> None:
        self._loop.run(self._admin.close())


class AioClient(Client):
    name = "aiokafka"
    assignors = frozenset(ASSIGNORS)
    sends_null_header = True

    @staticmethod
    def version() -> str:
        return aiokafka.__version__

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security.protocol,
            "retry_backoff_ms": 50,
        }
        if self.security.tls_authority:
            settings["ssl_context"] = ssl.create_default_context(cafile=self.security.tls_authority)
        if self.security.mechanism:
            settings["sasl_mechanism"] = self.security.mechanism
            settings["sasl_plain_username"] = self.security.user
            settings["sasl_plain_password"] = self.security.password
        return settings

    def _make_producer(self, options: ProducerOptions) -> Producer:
        return AioProducer(self._settings(), options)

    def _make_consumer(self, options: ConsumerOptions) -> Consumer:
        return AioConsumer(self._settings(), options)

    def _make_admin(self) -> Admin:
        return AioAdmin(self._settings())
