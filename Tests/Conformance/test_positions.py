"""Where a reader stands: by offset, by time, at the ends, and where there is nothing to stand on."""

from __future__ import annotations

import pytest

from support.clients.base import Client, Watermarks
from support.cluster import Cluster, Topic
from support.errors import Code, KafkaFailure

BASE = 1_600_000_000_000


@pytest.fixture
def topic(cluster: Cluster) -> Topic:
    """A topic that keeps records of long ago, which retention would take away at some moment."""
    return cluster.topic(retention_ms="-1")


def fill(client: Client, topic: Topic, count: int) -> None:
    """Records one second apart, some in a batch and some alone."""
    producer = client.producer(linger=0.05)
    waiting = [
        producer.send(topic.name, b"%d" % number, partition=0, timestamp=BASE + 1000 * number)
        for number in range(count)
    ]
    for wait in waiting:
        wait()


def test_seeking_by_time(client: Client, topic: Topic) -> None:
    fill(client, topic, 10)
    consumer = client.reader(topic[0])
    assert consumer.offset_for_time(topic[0], BASE) == 0
    assert consumer.offset_for_time(topic[0], BASE + 4000) == 4
    # Between two records it is the later one, within a batch too.
    assert consumer.offset_for_time(topic[0], BASE + 4001) == 5
    assert consumer.offset_for_time(topic[0], BASE - 10_000) == 0
    assert consumer.offset_for_time(topic[0], BASE + 9001) is None


def test_times_that_go_back(client: Client, topic: Topic) -> None:
    producer = client.producer()
    for time in (BASE + 5000, BASE + 1000, BASE + 7000, BASE + 3000):
        producer.deliver(topic.name, b"value", partition=0, timestamp=time)
    consumer = client.reader(topic[0])
    # The first record in the log at or after that time, not the record with the nearest time.
    assert consumer.offset_for_time(topic[0], BASE + 1000) == 0
    assert consumer.offset_for_time(topic[0], BASE + 6000) == 2
    assert consumer.offset_for_time(topic[0], BASE + 7000) == 2


def test_time_in_an_empty_partition(client: Client, topic: Topic) -> None:
    assert client.reader(topic[0]).offset_for_time(topic[0], BASE) is None


def test_watermarks(client: Client, topic: Topic) -> None:
    consumer = client.reader(topic[0])
    assert consumer.watermarks(topic[0]) == Watermarks(0, 0)
    fill(client, topic, 7)
    assert consumer.watermarks(topic[0]) == Watermarks(0, 7)


def test_reading_from_an_offset(client: Client, topic: Topic) -> None:
    fill(client, topic, 10)
    assert [record.offset for record in client.reader(topic[0], offset=8).read(2)] == [8, 9]


def test_reading_at_the_end_waits(client: Client, topic: Topic) -> None:
    fill(client, topic, 3)
    reader = client.reader(topic[0], offset=3)
    assert reader.poll(0.3) == []
    client.producer().deliver(topic.name, b"new", partition=0)
    assert [(record.offset, record.value) for record in reader.read(1)] == [(3, b"new")]


def test_out_of_range_earliest(client: Client, topic: Topic) -> None:
    fill(client, topic, 5)
    assert client.reader(topic[0], offset=1000, reset="earliest").read(5)[0].offset == 0


def test_out_of_range_latest(client: Client, topic: Topic) -> None:
    fill(client, topic, 5)
    reader = client.reader(topic[0], offset=1000, reset="latest")
    # The reset happens at some poll; what is written until then is not read. So write until something comes.
    producer = client.producer()
    for number in range(5, 100):
        producer.deliver(topic.name, b"%d" % number, partition=0)
        if records := reader.poll(0.2):
            break
    assert records and records[0].offset >= 5


def test_out_of_range_error(client: Client, topic: Topic) -> None:
    fill(client, topic, 5)
    reader = client.reader(topic[0], offset=1000, reset="error")
    with pytest.raises(KafkaFailure) as raised:
        reader.read(1)
    # librdkafka reports its own code for a reset that is not allowed, the others Kafka's.
    assert raised.value.code in (Code.OFFSET_OUT_OF_RANGE, None)
    assert "range" in str(raised.value).lower() or "reset" in str(raised.value).lower()


def test_no_committed_offset(client: Client, topic: Topic, group: str) -> None:
    fill(client, topic, 3)
    assert client.reader(topic[0], offset=None, group=group, reset="earliest").read(3)[0].offset == 0


def test_deleted_records_move_the_start(client: Client, topic: Topic) -> None:
    fill(client, topic, 10)
    # Within a batch: the batch stays, the records before the offset are not to be seen any more.
    assert client.admin().delete_records(topic[0], 4) == 4
    consumer = client.reader(topic[0], offset=4)
    assert consumer.watermarks(topic[0]) == Watermarks(4, 10)
    assert [record.offset for record in consumer.read(6)] == list(range(4, 10))
    assert consumer.offset_for_time(topic[0], BASE) == 4


def test_deleted_records_are_out_of_range(client: Client, topic: Topic) -> None:
    fill(client, topic, 10)
    client.admin().delete_records(topic[0], 4)
    assert client.reader(topic[0], offset=2, reset="earliest").read(6)[0].offset == 4
    with pytest.raises(KafkaFailure):
        client.reader(topic[0], offset=2, reset="error").read(1)


def test_deleting_all_records(client: Client, topic: Topic) -> None:
    fill(client, topic, 10)
    assert client.admin().delete_records(topic[0], -1) == 10
    consumer = client.reader(topic[0], offset=10)
    assert consumer.watermarks(topic[0]) == Watermarks(10, 10)
    assert client.producer().deliver(topic.name, b"next", partition=0).offset == 10


def test_deleting_records_past_the_end(client: Client, topic: Topic) -> None:
    fill(client, topic, 3)
    with pytest.raises(KafkaFailure) as raised:
        client.admin().delete_records(topic[0], 4)
    assert raised.value.code == Code.OFFSET_OUT_OF_RANGE
