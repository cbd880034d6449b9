"""confluent-kafka: librdkafka with Python on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import confluent_kafka
from confluent_kafka import Consumer as LibraryConsumer
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Producer as LibraryProducer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from ..errors import KafkaFailure
from ..waiting import DEADLINE, Deadline
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


def failure(error: KafkaError) -> KafkaFailure:
    # librdkafka's own errors are negative, the broker's are Kafka's.
    code = error.code()
    return KafkaFailure(code if code >= 0 else None, f"{error.name()}: {error.str()}")


@contextmanager
def failures() -> Iterator[None]:
    try:
        yield
    except KafkaException as exception:
        raise failure(exception.args[0]) from exception
    except SystemError as exception:
        # A fatal error of librdkafka is pending while the library calls back with a report of a delivery.
        if isinstance(exception.__cause__, KafkaException):
            raise failure(exception.__cause__.args[0]) from exception
        raise


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


class ConfluentProducer(Producer):
    def __init__(self, settings: dict[str, Any], options: ProducerOptions) -> None:
        settings = settings | {
            "acks": options.acks,
            "compression.type": options.codec,
            "linger.ms": milliseconds(options.linger),
            "message.max.bytes": options.largest_message,
            "delivery.timeout.ms": milliseconds(options.delivery_timeout),
            "enable.idempotence": options.idempotent or options.transactional_id is not None,
            "retry.backoff.ms": 50,
        }
        if options.transactional_id is not None:
            settings["transactional.id"] = options.transactional_id
            settings["transaction.timeout.ms"] = milliseconds(options.transaction_timeout)
        # librdkafka wants a record's time-out to end before the transaction's.
        if options.transactional_id is not None and options.transaction_timeout < options.delivery_timeout:
            settings["delivery.timeout.ms"] = milliseconds(options.transaction_timeout)
        self._producer = LibraryProducer(settings)

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int | None = None,
        timestamp: int | None = None,
    ) -> Callable[[], Delivery]:
        result: Future[Delivery] = Future()

        def report(error: KafkaError | None, message: confluent_kafka.Message) -> None:
            if error is not None:
                result.set_exception(failure(error))
            else:
                offset = message.offset()
                result.set_result(Delivery(message.partition(), -1 if offset is None else offset))

        place: dict[str, Any] = {"on_delivery": report}
        if partition is not None:
            place["partition"] = partition
        if timestamp is not None:
            place["timestamp"] = timestamp
        with failures():
            self._producer.produce(topic, value=value, key=key, headers=list(headers), **place)

        def wait() -> Delivery:
            deadline = Deadline()
            while not result.done():
                deadline.check("a report of the delivery")
                with failures():
                    self._producer.poll(0.1)
            return result.result()

        return wait

    def flush(self) -> None:
        with failures():
            self._producer.flush(DEADLINE)

    def init_transactions(self) -> None:
        with failures():
            self._producer.init_transactions(DEADLINE)

    def begin(self) -> None:
        with failures():
            self._producer.begin_transaction()

    def commit(self) -> None:
        with failures():
            self._producer.commit_transaction(DEADLINE)

    def abort(self) -> None:
        with failures():
            self._producer.abort_transaction(DEADLINE)

    def send_offsets(self, offsets: Mapping[Partition, int], consumer: Consumer) -> None:
        assert isinstance(consumer, ConfluentConsumer)
        places = [TopicPartition(place.topic, place.partition, offset) for place, offset in offsets.items()]
        with failures():
            self._producer.send_offsets_to_transaction(places, consumer.group_metadata(), DEADLINE)

    def close(self) -> None:
        self._producer.purge()
        try:
            with failures():
                self._producer.flush(1)
        except KafkaFailure:
            # A fenced producer has nothing left to send.
            pass


class ConfluentConsumer(Consumer):
    def __init__(self, settings: dict[str, Any], options: ConsumerOptions) -> None:
        self.options = options
        settings = settings | {
            # librdkafka wants a group even where none is used.
            "group.id": options.group or "unused",
            "enable.auto.commit": False,
            "auto.offset.reset": options.reset,
            "isolation.level": "read_committed" if options.committed_only else "read_uncommitted",
            "partition.assignment.strategy": options.assignor,
            "session.timeout.ms": milliseconds(options.session_timeout),
            "heartbeat.interval.ms": milliseconds(options.heartbeat_interval),
            "topic.metadata.refresh.interval.ms": milliseconds(options.metadata_age),
            "fetch.wait.max.ms": 100,
            "allow.auto.create.topics": True,
        }
        if options.instance is not None:
            settings["group.instance.id"] = options.instance
        if options.client_id is not None:
            settings["client.id"] = options.client_id
        self._consumer = LibraryConsumer(settings)
        self._closed = False

    def group_metadata(self) -> Any:
        return self._consumer.consumer_group_metadata()

    def assign(self, positions: Mapping[Partition, int | None]) -> None:
        stored = confluent_kafka.OFFSET_STORED
        self._consumer.assign(
            [
                TopicPartition(place.topic, place.partition, stored if offset is None else offset)
                for place, offset in positions.items()
            ]
        )

    def subscribe(self, topics: Sequence[str], on_rebalance: Callable[[], None] = lambda: None) -> None:
        def assigned(_consumer: LibraryConsumer, _partitions: list[TopicPartition]) -> None:
            on_rebalance()

        self._consumer.subscribe(list(topics), on_assign=assigned)

    def assignment(self) -> set[Partition]:
        return {Partition(place.topic, place.partition) for place in self._consumer.assignment()}

    def poll(self, seconds: float) -> list[Record]:
        with failures():
            messages = self._consumer.consume(1, seconds)
            # The rest of what is there already; a wait for a full thousand would use up the time.
            if messages:
                messages += self._consumer.consume(1000, 0.002)
        records = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(self._record(message))
            elif error.fatal() or error.code() not in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT):
                raise failure(error)
        return records

    @staticmethod
    def _record(message: confluent_kafka.Message) -> Record:
        return Record(
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            value=message.value(),
            headers=tuple(message.headers() or ()),
            timestamp=message.timestamp()[1],
        )

    def commit(self, offsets: Mapping[Partition, Committed]) -> None:
        places = [
            TopicPartition(place.topic, place.partition, committed.offset, metadata=committed.metadata)
            for place, committed in offsets.items()
        ]
        with failures():
            for place in self._consumer.commit(offsets=places, asynchronous=False):
                if place.error is not None:
                    raise failure(place.error)

    def committed(self, partition: Partition) -> int | None:
        with failures():
            [place] = self._consumer.committed([TopicPartition(*partition)], DEADLINE)
        if place.error is not None:
            raise failure(place.error)
        return place.offset if place.offset >= 0 else None

    def offset_for_time(self, partition: Partition, timestamp: int) -> int | None:
        with failures():
            [place] = self._consumer.offsets_for_times([TopicPartition(*partition, timestamp)], DEADLINE)
        return place.offset if place.offset >= 0 else None

    def watermarks(self, partition: Partition) -> Watermarks:
        with failures():
            return Watermarks(*self._consumer.get_watermark_offsets(TopicPartition(*partition), DEADLINE))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._consumer.close()


class ConfluentAdmin(Admin):
    client = "confluent-kafka"

    def __init__(self, settings: dict[str, Any]) -> None:
        self._admin = AdminClient(settings)

    @staticmethod
    def _only(futures: Mapping[Any, Future[Any]]) -> Any:
        [future] = futures.values()
        with failures():
            return future.result(DEADLINE)

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        self._only(self._admin.create_topics([topic]))

    def delete_topic(self, name: str) -> None:
        self._only(self._admin.delete_topics([name]))

    def add_partitions(self, name: str, total: int) -> None:
        self._only(self._admin.create_partitions([NewPartitions(name, total)]))

    def topics(self) -> dict[str, int]:
        with failures():
            listed = self._admin.list_topics(timeout=DEADLINE).topics
        return {name: len(topic.partitions) for name, topic in listed.items()}

    def ask_for_topic(self, name: str) -> int:
        """Has the topic created by asking for its metadata, and returns its number of partitions."""
        with failures():
            return len(self._admin.list_topics(name, timeout=DEADLINE).topics[name].partitions)

    def nodes(self) -> set[int]:
        with failures():
            return {node.id for node in self._admin.describe_cluster().result(DEADLINE).nodes}

    def topic_config(self, name: str) -> dict[str, str | None]:
        resource = ConfigResource(ResourceType.TOPIC, name)
        return {entry.name: entry.value for entry in self._only(self._admin.describe_configs([resource])).values()}

    def replace_topic_config(self, name: str, config: Mapping[str, str]) -> None:
        resource = ConfigResource(ResourceType.TOPIC, name, set_config=dict(config))
        self._only(self._admin.alter_configs([resource]))

    def change_topic_config(
        self, name: str, set_values: Mapping[str, str] | None = None, unset: Iterable[str] = ()
    ) -> None:
        changes = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in (set_values or {}).items()
        ]
        changes += [ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE) for key in unset]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
        self._only(self._admin.incremental_alter_configs([resource]))

    def groups(self) -> set[str]:
        with failures():
            listed = self._admin.list_consumer_groups().result(DEADLINE)
        return {group.group_id for group in listed.valid}

    def describe_group(self, group: str) -> GroupDescription:
        described = self._only(self._admin.describe_consumer_groups([group]))
        members = tuple(
            GroupMember(
                client_id=member.client_id,
                instance=member.group_instance_id,
                partitions=frozenset(
                    Partition(place.topic, place.partition) for place in member.assignment.topic_partitions
                ),
            )
            for member in described.members
        )
        return GroupDescription(described.state.name, described.partition_assignor, members)

    def delete_group(self, group: str) -> None:
        self._only(self._admin.delete_consumer_groups([group]))

    def committed(self, group: str, partitions: Iterable[Partition]) -> dict[Partition, Committed]:
        places = [TopicPartition(*place) for place in partitions]
        wanted = confluent_kafka.ConsumerGroupTopicPartitions(group, places)
        listed = self._only(self._admin.list_consumer_group_offsets([wanted]))
        return {
            Partition(place.topic, place.partition): Committed(place.offset, place.metadata or "")
            for place in listed.topic_partitions
            if place.offset >= 0
        }

    def alter_committed(self, group: str, offsets: Mapping[Partition, Committed]) -> None:
        places = [
            TopicPartition(place.topic, place.partition, committed.offset, metadata=committed.metadata)
            for place, committed in offsets.items()
        ]
        wanted = confluent_kafka.ConsumerGroupTopicPartitions(group, places)
        for place in self._only(self._admin.alter_consumer_group_offsets([wanted])).topic_partitions:
            if place.error is not None:
                raise failure(place.error)

    def delete_records(self, partition: Partition, before: int) -> int:
        return self._only(self._admin.delete_records([TopicPartition(*partition, before)])).low_watermark

    def close(self) -> None:
        pass


class ConfluentClient(Client):
    name = "confluent-kafka"
    sends_null_key_and_value = True
    sends_null_header = True

    @staticmethod
    def version() -> str:
        return f"{confluent_kafka.version()} (librdkafka {confluent_kafka.libversion()[0]})"

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security.protocol,
            "broker.address.family": "v4",
            # A start under load must not wait long for what is there a moment later.
            "topic.metadata.refresh.fast.interval.ms": 50,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 500,
            "log_level": 2,
        }
        if self.security.tls_authority:
            settings["ssl.ca.location"] = self.security.tls_authority
        if self.security.mechanism:
            settings["sasl.mechanism"] = self.security.mechanism
            settings["sasl.username"] = self.security.user
            settings["sasl.password"] = self.security.password
        return settings

    def _make_producer(self, options: ProducerOptions) -> Producer:
        return ConfluentProducer(self._settings(), options)

    def _make_consumer(self, options: ConsumerOptions) -> Consumer:
        return ConfluentConsumer(self._settings(), options)

    def _make_admin(self) -> Admin:
        return ConfluentAdmin(self._settings())
