"""kill -9 and a start on the same directory: what was acknowledged is there, once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.broker import Broker, NotStarted
from support.clients.base import Client, Committed
from support.cluster import Cluster, Topic
from support.errors import KafkaFailure
from support.process import Process
from support.waiting import eventually

END = b"<end>"


@pytest.fixture
def client(client_type: type[Client], data_cluster: Broker) -> Iterator[Client]:
    """Each of the clients, connected to the broker that the test kills."""
    made = client_type(data_cluster.bootstrap)
    yield made
    made.close()


@pytest.fixture
def topic(data_cluster: Broker) -> Topic:
    return Cluster(data_cluster.bootstrap, embedded=True).topic()


def all_values(client: Client, topic: Topic, committed_only: bool = False) -> list[bytes | None]:
    client.producer().deliver(topic.name, END, partition=0)
    return [record.value for record in client.reader(topic[0], committed_only=committed_only).read_until(END)]


def test_killed_under_load(client: Client, data_cluster: Broker, topic: Topic) -> None:
    total = 3000
    with Process("load", client, topic=topic.name, total=total) as load:
        for kill_at in (300, 1200):
            eventually(
                lambda at=kill_at: (load.last("acknowledged") or 0) >= at or not load.running, "the load goes on"
            )
            assert load.running, load.said[-3:]
            data_cluster.kill()
            data_cluster.start()
        eventually(lambda: load.last("done") or not load.running, "the load ends", deadline=60)
        assert load.last("done"), load.said[-3:]

    acknowledged = {line["acknowledged"]: line["offset"] for line in load.said if "acknowledged" in line}
    assert len(acknowledged) == total
    read = all_values(client, topic)
    # Nothing lost, nothing twice, nothing out of order, and each where the broker said that it is.
    assert [int(value or b"") for value in read] == list(range(total))
    wrong = {number: offset for number, offset in acknowledged.items() if offset not in (number, -1)}
    assert not wrong


def test_killed_at_rest(client: Client, data_cluster: Broker, topic: Topic) -> None:
    headers = (("name", b"value"),)
    for codec in ("none", "gzip"):
        client.producer(codec=codec).deliver_all(topic.name, [b"a", b"b"], key=b"k", headers=headers, partition=0)
    data_cluster.kill()
    data_cluster.start()
    records = client.reader(topic[0]).read(4)
    assert [(record.offset, record.key, record.value, record.headers) for record in records] == [
        (number, b"k", value, headers) for number, value in enumerate([b"a", b"b", b"a", b"b"])
    ]


def test_ended_by_sigterm(client: Client, data_cluster: Broker, topic: Topic) -> None:
    client.producer().deliver_all(topic.name, [b"a", b"b"], partition=0)
    assert data_cluster.stop() == 0
    data_cluster.start()
    assert all_values(client, topic) == [b"a", b"b"]


def test_group_offsets_survive(client: Client, data_cluster: Broker, topic: Topic, group: str) -> None:
    client.producer().deliver_all(topic.name, [b"a", b"b", b"c"], partition=0)
    consumer = client.consumer(group=group)
    consumer.subscribe([topic.name])
    eventually(lambda: consumer.poll(0.1) is not None and consumer.assignment(), "the partition is assigned")
    consumer.commit({topic[0]: Committed(2, "kept")})
    consumer.close()
    data_cluster.kill()
    data_cluster.start()
    assert client.admin().committed(group, [topic[0]]) == {topic[0]: Committed(2, "kept")}
    assert group in client.admin().groups()


def test_topics_and_settings_survive(client: Client, data_cluster: Broker) -> None:
    kept = Cluster(data_cluster.bootstrap, embedded=True).topic(partitions=3, retention_ms="123456")
    gone = Cluster(data_cluster.bootstrap, embedded=True).topic()
    client.admin().delete_topic(gone.name)
    data_cluster.kill()
    data_cluster.start()
    admin = client.admin()
    assert admin.topics().get(kept.name) == 3
    assert admin.topic_config(kept.name)["retention.ms"] == "123456"
    assert gone.name not in admin.topics()


def test_deleted_records_stay_deleted(client: Client, data_cluster: Broker, topic: Topic) -> None:
    client.producer().deliver_all(topic.name, [b"%d" % number for number in range(10)], partition=0)
    client.admin().delete_records(topic[0], 6)
    data_cluster.kill()
    data_cluster.start()
    assert client.reader(topic[0]).watermarks(topic[0]) == (6, 10)


def test_an_open_transaction_survives(
    client: Client, data_cluster: Broker, topic: Topic, transactional_id: str
) -> None:
    producer = client.transactional_producer(transactional_id)
    producer.begin()
    producer.deliver_all(topic.name, [b"before"], partition=0)
    data_cluster.kill()
    data_cluster.start()
    reader = client.reader(topic[0], committed_only=True)
    assert reader.watermarks(topic[0]).end == 0
    producer.deliver_all(topic.name, [b"after"], partition=0)
    producer.commit()
    assert [record.value for record in reader.read(2)] == [b"before", b"after"]


def test_an_aborted_transaction_stays_aborted(
    client: Client, data_cluster: Broker, topic: Topic, transactional_id: str
) -> None:
    producer = client.transactional_producer(transactional_id)
    for value, end in ((b"committed", producer.commit), (b"aborted", producer.abort)):
        producer.begin()
        producer.deliver_all(topic.name, [value], partition=0)
        end()
    data_cluster.kill()
    data_cluster.start()
    assert all_values(client, topic, committed_only=True) == [b"committed"]


def test_a_fenced_producer_stays_fenced(
    client: Client, data_cluster: Broker, topic: Topic, transactional_id: str
) -> None:
    first = client.transactional_producer(transactional_id)
    first.begin()
    first.deliver_all(topic.name, [b"first"], partition=0)
    client.transactional_producer(transactional_id)
    data_cluster.kill()
    data_cluster.start()
    with pytest.raises(KafkaFailure):
        first.deliver_all(topic.name, [b"late"], partition=0)
        first.commit()
    assert all_values(client, topic, committed_only=True) == []


def test_a_torn_tail_is_cut(client: Client, data_cluster: Broker, topic: Topic) -> None:
    client.producer().deliver_all(topic.name, [b"a", b"b"], partition=0)
    data_cluster.kill()
    # As if the machine had died while the next batch was written: a few bytes of a header that promises more.
    assert data_cluster.data is not None
    segments = [
        path
        for path in data_cluster.data.rglob("*")
        if path.is_file() and path.stat().st_size > 0 and topic.name in str(path)
    ]
    assert segments, "no file of the topic found in the data directory"
    newest = max((path for path in segments if path.suffix == ".log"), default=None, key=os.path.getmtime)
    assert newest is not None, f"no .log among {segments}"
    with newest.open("ab") as file:
        file.write((2).to_bytes(8, "big") + (500).to_bytes(4, "big") + b"\0\0\0\0\2" + b"torn")
    data_cluster.start()
    assert client.producer().deliver(topic.name, b"c", partition=0).offset == 2
    assert all_values(client, topic) == [b"a", b"b", b"c"]


def test_a_second_broker_on_the_directory_is_refused(data_cluster: Broker) -> None:
    assert isinstance(data_cluster.data, Path)
    second = Broker(data=data_cluster.data)
    began = time.monotonic()
    with pytest.raises(NotStarted) as raised:
        second.start()
    assert time.monotonic() - began < 10
    assert raised.value.status not in (0, None)
    # It names the directory, and doesn't crash.
    assert raised.value.status is not None and raised.value.status > 0, raised.value
    assert str(data_cluster.data) in raised.value.errors
    assert data_cluster.running
