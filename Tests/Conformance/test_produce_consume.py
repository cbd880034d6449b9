"""Records go in and come out unchanged, whatever they are made of."""

from __future__ import annotations

import random

import pytest

from support.clients import CLIENTS
from support.clients.base import Client, Partition
from support.cluster import Cluster, Topic
from support.errors import Code, KafkaFailure, lacks

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
END = b"<end>"


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_round_trip(client: Client, topic: Topic, codec: str) -> None:
    # Text that compresses and bytes that don't, in batches of many records and of one.
    noise = random.Random(7)
    values = [b"record %d " % number * 20 for number in range(300)] + [noise.randbytes(20_000)]
    producer = client.producer(codec=codec, linger=0.05)
    deliveries = producer.deliver_all(topic.name, values, partition=0)
    assert [delivery.offset for delivery in deliveries] == list(range(len(values)))

    records = client.reader(topic[0]).read(len(values))
    assert [record.value for record in records] == values
    assert [record.offset for record in records] == list(range(len(values)))


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_batches_are_kept_compressed(client: Client, cluster: Cluster, codec: str) -> None:
    # A topic whose largest batch is small: what is compressed fits, and the same bytes as they are do not.
    topic = cluster.topic(max_message_bytes="20000")
    value = b"the same words again and again " * 2000
    client.producer(codec=codec).deliver(topic.name, value, partition=0)
    with pytest.raises(KafkaFailure) as raised:
        client.producer(codec="none").deliver(topic.name, value, partition=0)
    assert raised.value.code == Code.MESSAGE_TOO_LARGE
    assert client.reader(topic[0]).read(1)[0].value == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(b"key", b"value", id="both"),
        pytest.param(None, b"value", id="null-key"),
        pytest.param(b"", b"value", id="empty-key"),
        pytest.param(b"key", b"", id="empty-value"),
        pytest.param(b"key", None, id="tombstone"),
        pytest.param(b"", None, id="tombstone-with-empty-key"),
        pytest.param(None, b"", id="null-key-empty-value"),
        pytest.param(None, None, id="null-both"),
        pytest.param(bytes(range(256)), bytes(reversed(range(256))), id="every-byte"),
    ],
)
def test_keys_and_values(client: Client, topic: Topic, key: bytes | None, value: bytes | None) -> None:
    if key is None and value is None and not client.sends_null_key_and_value:
        lacks(client.name, "records with neither key nor value")
    client.producer().deliver(topic.name, value, key=key, partition=0)
    [record] = client.reader(topic[0]).read(1)
    assert (record.key, record.value) == (key, value)


def test_headers_keep_order_and_repetition(client: Client, topic: Topic) -> None:
    headers = (("b", b"1"), ("a", b""), ("b", b"2"), ("ünïcode", bytes(range(256))))
    client.producer().deliver(topic.name, b"value", headers=headers, partition=0)
    assert client.reader(topic[0]).read(1)[0].headers == headers


def test_header_without_value(client: Client, topic: Topic) -> None:
    if not client.sends_null_header:
        lacks(client.name, "headers whose value is null")
    client.producer().deliver(topic.name, b"value", headers=(("none", None), ("empty", b"")), partition=0)
    assert client.reader(topic[0]).read(1)[0].headers == (("none", None), ("empty", b""))


def test_timestamps_of_the_producer(client: Client, cluster: Cluster) -> None:
    # Times of long ago, which retention would take away.
    topic = cluster.topic(retention_ms="-1")
    times = [1_500_000_000_000, 1_400_000_000_123, 1_700_000_000_456]
    producer = client.producer(linger=0.05)
    waiting = [producer.send(topic.name, b"value", timestamp=time, partition=0) for time in times]
    for wait in waiting:
        wait()
    assert [record.timestamp for record in client.reader(topic[0]).read(3)] == times


def test_timestamps_of_the_log(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(message_timestamp_type="LogAppendTime")
    client.producer().deliver(topic.name, b"value", timestamp=1_000_000_000_000, partition=0)
    # Any time of the broker's own clock is far beyond the one that the producer gave.
    assert client.reader(topic[0]).read(1)[0].timestamp > 1_700_000_000_000


def test_large_message(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(max_message_bytes=str(4 << 20))
    value = random.Random(11).randbytes(3 << 20)
    client.producer().deliver(topic.name, value, partition=0)
    assert client.reader(topic[0]).read(1)[0].value == value


def test_too_large_a_message_is_refused(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(max_message_bytes="10000")
    producer = client.producer()
    with pytest.raises(KafkaFailure) as raised:
        producer.deliver(topic.name, b"x" * 20_000, partition=0)
    assert raised.value.code == Code.MESSAGE_TOO_LARGE
    assert producer.deliver(topic.name, b"small", partition=0).offset == 0


@pytest.mark.parametrize("acks", ["1", "all"])
def test_acknowledged(client: Client, topic: Topic, acks: str) -> None:
    deliveries = client.producer(acks=acks).deliver_all(topic.name, [b"a", b"b", b"c"], partition=0)
    assert [delivery.offset for delivery in deliveries] == [0, 1, 2]


def test_not_acknowledged(client: Client, topic: Topic) -> None:
    # With acks=0 the broker says nothing at all: an answer would put the client's next one out of step.
    producer = client.producer(acks="0")
    producer.deliver_all(topic.name, [b"%d" % number for number in range(50)], partition=0)
    producer.deliver_all(topic.name, [END], partition=0)
    records = client.reader(topic[0]).read_until(END)
    assert [record.value for record in records] == [b"%d" % number for number in range(50)]


def test_idempotent_producer(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(partitions=2)
    producer = client.producer(idempotent=True)
    waiting = [producer.send(topic.name, b"%d" % number, partition=number % 2) for number in range(400)]
    offsets = [wait().offset for wait in waiting]
    assert offsets == [number // 2 for number in range(400)]
    for partition in range(2):
        records = client.reader(topic[partition]).read(200)
        assert [record.value for record in records] == [b"%d" % number for number in range(partition, 400, 2)]


def test_order_within_each_partition(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(partitions=4)
    producer = client.producer(linger=0.005)
    for number in range(1000):
        producer.send(topic.name, b"%d" % number, key=b"key", partition=number % 4)
    producer.flush()
    consumer = client.consumer()
    consumer.assign({partition: 0 for partition in topic.all})
    records = consumer.read(1000)
    for partition in range(4):
        mine = [record for record in records if record.partition == partition]
        assert [record.offset for record in mine] == list(range(250))
        assert [int(record.value or b"") for record in mine] == list(range(partition, 1000, 4))


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_reading_from_the_middle_of_a_batch(client: Client, topic: Topic, codec: str) -> None:
    producer = client.producer(codec=codec, linger=0.2)
    producer.deliver_all(topic.name, [b"%d" % number for number in range(20)], partition=0)
    for start in (7, 19):
        records = client.reader(topic[0], offset=start).read(20 - start)
        assert [record.offset for record in records] == list(range(start, 20))
        assert records[0].value == b"%d" % start


def test_a_waiting_reader_is_woken(client: Client, topic: Topic) -> None:
    reader = client.reader(topic[0])
    producer = client.producer()
    for number in range(10):
        producer.deliver(topic.name, b"%d" % number, partition=0)
        assert reader.read(1)[0].value == b"%d" % number


def test_other_clients_read_what_one_wrote(client: Client, cluster: Cluster, topic: Topic) -> None:
    client.producer(linger=0.05).deliver_all(topic.name, [b"a", b"b"], key=b"k", headers=(("h", b"v"),), partition=0)
    for other in CLIENTS.values():
        reader = other(cluster.bootstrap)
        try:
            records = reader.reader(topic[0]).read(2)
        finally:
            reader.close()
        assert [(record.key, record.value, record.headers) for record in records] == [
            (b"k", b"a", (("h", b"v"),)),
            (b"k", b"b", (("h", b"v"),)),
        ], other.name


def test_many_partitions_in_one_fetch(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(partitions=30)
    producer = client.producer(linger=0.02)
    waiting = [producer.send(topic.name, b"x" * 500, partition=number % 30) for number in range(600)]
    for wait in waiting:
        wait()
    consumer = client.consumer()
    consumer.assign({Partition(topic.name, number): 0 for number in range(30)})
    records = consumer.read(600)
    assert len({(record.partition, record.offset) for record in records}) == len(records) == 600
