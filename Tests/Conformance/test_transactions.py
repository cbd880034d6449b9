"""Transactions: all or nothing for a committed reader, whatever happens to the producer."""

from __future__ import annotations

from collections import Counter

import pytest

from support.clients.base import Client, Partition, Watermarks
from support.cluster import Cluster, Topic, unique
from support.errors import Code, KafkaFailure
from support.process import Process
from support.waiting import eventually

END = b"<end>"
FENCED = (Code.INVALID_PRODUCER_EPOCH, Code.PRODUCER_FENCED)


def values(client: Client, partition: Partition, committed_only: bool) -> list[bytes | None]:
    """All that a reader of that isolation level sees up to the first of the marks, which are written outside of
    transactions; one is written now."""
    client.producer().deliver(partition.topic, END, partition=partition.partition)
    reader = client.reader(partition, committed_only=committed_only)
    return [record.value for record in reader.read_until(END)]


def is_fenced(failure: KafkaFailure) -> bool:
    # Each library has its own error for it: librdkafka's is local, aiokafka's has no number.
    return failure.code in FENCED or "fenced" in str(failure).lower()


def test_committed(client: Client, cluster: Cluster, transactional_id: str) -> None:
    topic = cluster.topic(partitions=2)
    producer = client.transactional_producer(transactional_id)
    for number in range(3):
        producer.begin()
        producer.deliver_all(topic.name, [b"%d-a" % number], partition=0)
        producer.deliver_all(topic.name, [b"%d-b" % number], partition=1)
        producer.commit()
    for committed_only in (True, False):
        assert values(client, topic[0], committed_only) == [b"0-a", b"1-a", b"2-a"]
        assert values(client, topic[1], committed_only) == [b"0-b", b"1-b", b"2-b"]


def test_aborted(client: Client, topic: Topic, transactional_id: str) -> None:
    producer = client.transactional_producer(transactional_id)
    for value, end in ((b"first", producer.commit), (b"second", producer.abort), (b"third", producer.commit)):
        producer.begin()
        producer.deliver_all(topic.name, [value], partition=0)
        end()
    assert values(client, topic[0], committed_only=True) == [b"first", b"third"]


def test_aborted_records_are_there_for_an_uncommitted_reader(
    client: Client, topic: Topic, transactional_id: str
) -> None:
    producer = client.transactional_producer(transactional_id)
    producer.begin()
    producer.deliver_all(topic.name, [b"aborted"], partition=0)
    producer.abort()
    assert values(client, topic[0], committed_only=False) == [b"aborted"]


def test_markers_take_an_offset(client: Client, topic: Topic, transactional_id: str) -> None:
    producer = client.transactional_producer(transactional_id)
    for end in (producer.commit, producer.abort):
        producer.begin()
        producer.deliver_all(topic.name, [b"value"], partition=0)
        end()
    # Apache Kafka answers the end of a transaction before it has written the marker.
    reader = client.reader(topic[0])
    eventually(lambda: reader.watermarks(topic[0]) == Watermarks(0, 4), "two records and two markers")


def test_an_open_transaction_holds_back_a_committed_reader(client: Client, topic: Topic, transactional_id: str) -> None:
    plain = client.producer()
    plain.deliver(topic.name, b"before", partition=0)
    producer = client.transactional_producer(transactional_id)
    producer.begin()
    producer.deliver_all(topic.name, [b"open"], partition=0)
    plain.deliver(topic.name, b"after", partition=0)

    committed, uncommitted = (client.reader(topic[0], committed_only=only) for only in (True, False))
    assert [record.value for record in uncommitted.read(3)] == [b"before", b"open", b"after"]
    # The last stable offset is where the open transaction begins.
    assert committed.watermarks(topic[0]).end == 1
    assert uncommitted.watermarks(topic[0]).end == 3
    assert [record.value for record in committed.read(1)] == [b"before"]
    assert committed.poll(0.5) == []
    producer.commit()
    assert [record.value for record in committed.read(2)] == [b"open", b"after"]


def test_two_transactions_at_once(client: Client, topic: Topic) -> None:
    first, second = (client.transactional_producer(unique("transaction")) for _ in range(2))
    first.begin()
    second.begin()
    for number in range(3):
        first.deliver_all(topic.name, [b"first-%d" % number], partition=0)
        second.deliver_all(topic.name, [b"second-%d" % number], partition=0)
    second.commit()
    reader = client.reader(topic[0], committed_only=True)
    # What is committed stays hidden behind what began earlier and is open.
    assert reader.watermarks(topic[0]).end == 0
    first.abort()
    assert [record.value for record in reader.read(3)] == [b"second-0", b"second-1", b"second-2"]


def test_reading_from_within_an_aborted_transaction(client: Client, topic: Topic, transactional_id: str) -> None:
    producer = client.transactional_producer(transactional_id)
    producer.begin()
    for number in range(6):
        producer.deliver_all(topic.name, [b"aborted-%d" % number], partition=0)
    producer.abort()
    client.producer().deliver(topic.name, END, partition=0)
    # The transaction began before the offset from which is read: it must be in the list of aborted ones all the same.
    assert client.reader(topic[0], offset=3, committed_only=True).read_until(END) == []


def test_fenced_by_a_second_producer(client: Client, topic: Topic, transactional_id: str) -> None:
    first = client.transactional_producer(transactional_id)
    first.begin()
    first.deliver_all(topic.name, [b"first"], partition=0)

    second = client.transactional_producer(transactional_id)
    with pytest.raises(KafkaFailure) as raised:
        first.deliver_all(topic.name, [b"late"], partition=0)
        first.commit()
    assert is_fenced(raised.value), raised.value

    second.begin()
    second.deliver_all(topic.name, [b"second"], partition=0)
    second.commit()
    assert values(client, topic[0], committed_only=True) == [b"second"]
    assert b"late" not in values(client, topic[0], committed_only=False)


def test_a_second_producer_aborts_what_the_first_left_open(client: Client, topic: Topic, transactional_id: str) -> None:
    first = client.transactional_producer(transactional_id)
    first.begin()
    first.deliver_all(topic.name, [b"left open"], partition=0)
    client.transactional_producer(transactional_id)
    # Nobody has to wait for the first one's time-out: its transaction ended when the second began.
    reader = client.reader(topic[0], committed_only=True)
    eventually(lambda: reader.watermarks(topic[0]).end == 2, "the record and the marker", deadline=10)
    assert values(client, topic[0], committed_only=True) == []


def test_timed_out(client: Client, topic: Topic, transactional_id: str) -> None:
    producer = client.transactional_producer(transactional_id, transaction_timeout=1.0)
    producer.begin()
    producer.deliver_all(topic.name, [b"too late"], partition=0)
    reader = client.reader(topic[0], committed_only=True)
    # Apache Kafka looks for such transactions every ten seconds.
    eventually(lambda: reader.watermarks(topic[0]).end == 2, "the broker aborts by itself")
    with pytest.raises(KafkaFailure):
        producer.commit()
    assert values(client, topic[0], committed_only=True) == []


def test_a_transaction_timeout_above_the_maximum(client: Client, transactional_id: str) -> None:
    if client.name == "aiokafka":
        pytest.skip("aiokafka's producer says nothing of a refusal and waits for ever")
    # `transaction.max.timeout.ms` is 15 minutes in Apache Kafka.
    producer = client.producer(transactional_id=transactional_id, transaction_timeout=16 * 60.0)
    with pytest.raises(KafkaFailure) as raised:
        producer.init_transactions()
    assert raised.value.code == Code.INVALID_TRANSACTION_TIMEOUT


def test_offsets_show_on_commit(client: Client, topic: Topic, group: str, transactional_id: str) -> None:
    consumer = client.consumer(group=group)
    admin = client.admin()
    producer = client.transactional_producer(transactional_id)
    producer.begin()
    producer.deliver_all(topic.name, [b"value"], partition=0)
    producer.send_offsets({topic[0]: 5}, consumer)
    assert admin.committed(group, [topic[0]]) == {}
    producer.commit()
    eventually(lambda: admin.committed(group, [topic[0]]), "the offset is committed")
    assert admin.committed(group, [topic[0]])[topic[0]].offset == 5


def test_offsets_vanish_on_abort(client: Client, topic: Topic, group: str, transactional_id: str) -> None:
    consumer = client.consumer(group=group)
    producer = client.transactional_producer(transactional_id)
    for offset, end in ((3, producer.commit), (5, producer.abort), (7, producer.abort)):
        producer.begin()
        producer.deliver_all(topic.name, [b"value"], partition=0)
        producer.send_offsets({topic[0]: offset}, consumer)
        end()
    admin = client.admin()
    eventually(lambda: admin.committed(group, [topic[0]]), "an offset is committed")
    # A later transaction of the same producer begins only when the ones before have ended altogether.
    producer.begin()
    producer.deliver_all(topic.name, [b"value"], partition=0)
    producer.commit()
    assert admin.committed(group, [topic[0]])[topic[0]].offset == 3


def test_a_reader_that_resumes_waits_for_pending_offsets(
    client: Client, topic: Topic, group: str, transactional_id: str
) -> None:
    if client.name == "aiokafka":
        pytest.skip("aiokafka does not ask for stable offsets (OffsetFetch 7)")
    client.producer().deliver_all(topic.name, [b"0", b"1", b"2"], partition=0)
    target = client.transactional_producer(transactional_id)
    consumer = client.consumer(group=group, committed_only=True)
    target.begin()
    target.deliver_all(topic.name, [b"result"], partition=0)
    target.send_offsets({topic[0]: 2}, consumer)

    resumed = client.reader(topic[0], offset=None, group=group, committed_only=True)
    assert resumed.poll(0.5) == []
    target.commit()
    assert resumed.read(1)[0].offset == 2


@pytest.mark.parametrize("hang_in", [1, 3])
def test_exactly_once_with_a_crash(
    client: Client, cluster: Cluster, group: str, transactional_id: str, hang_in: int
) -> None:
    source, target = cluster.topic(), cluster.topic()
    total = 100
    client.producer(linger=0.02).deliver_all(source.name, [b"%d" % number for number in range(total)], partition=0)
    arguments = {
        "source": source.name,
        "target": target.name,
        "group": group,
        "transactional_id": transactional_id,
        "total": total,
        "batch": 20,
    }
    with Process("transform", client, **arguments, hang_in=hang_in, resume=False) as crashed:
        eventually(lambda: crashed.last("hangs") is not None or not crashed.running, "the first one hangs")
        assert crashed.last("hangs") == 20 * hang_in, crashed.said
        crashed.kill()
    # The input of the transaction that was open is not done: the next one begins with it.
    with Process("transform", client, **arguments, hang_in=0, resume=True) as restarted:
        eventually(lambda: restarted.last("done") or not restarted.running, "the second one does the rest")
        assert restarted.last("position") == 20 * (hang_in - 1), restarted.said
        assert restarted.last("done"), restarted.said

    seen = values(client, target[0], committed_only=True)
    assert Counter(seen) == Counter(b"%d" % (2 * number) for number in range(total))
    # The crash happened where it should: an uncommitted reader sees what was written twice.
    assert len(values(client, target[0], committed_only=False)) >= total + 20
