"""What administrators do: topics, partitions, settings, groups' offsets; and how what is wrong is refused."""

from __future__ import annotations

import pytest

from support.clients.base import Client, Committed
from support.cluster import Cluster, Topic, unique
from support.errors import Code, KafkaFailure
from support.member import Member
from support.waiting import eventually


def refused(code: Code) -> pytest.RaisesExc[KafkaFailure]:
    return pytest.raises(KafkaFailure, match=rf"^\[{int(code)}\]")


def test_create_and_delete_topics(client: Client) -> None:
    admin, name = client.admin(), unique("topic")
    admin.create_topic(name, partitions=3)
    eventually(lambda: admin.topics().get(name) == 3, "the topic has three partitions")
    client.producer().deliver(name, b"value", partition=2)
    admin.delete_topic(name)
    eventually(lambda: name not in admin.topics(), "the topic is gone")
    with refused(Code.UNKNOWN_TOPIC_OR_PARTITION):
        admin.delete_topic(name)


def test_a_topic_of_the_same_name_begins_empty(client: Client) -> None:
    admin, name = client.admin(), unique("topic")
    for _ in range(2):
        admin.create_topic(name)
        eventually(lambda: admin.topics().get(name) == 1, "the topic is there")
        producer = client.producer()
        assert producer.deliver(name, b"value", partition=0).offset == 0
        producer.close()
        admin.delete_topic(name)
        eventually(lambda: name not in admin.topics(), "the topic is gone")


def test_a_topic_that_exists_already(client: Client, topic: Topic) -> None:
    with refused(Code.TOPIC_ALREADY_EXISTS):
        client.admin().create_topic(topic.name)


@pytest.mark.parametrize("name", ["with space", "with/slash", "ünïcode", "..", "x" * 250])
def test_invalid_topic_names(client: Client, name: str) -> None:
    with refused(Code.INVALID_TOPIC):
        client.admin().create_topic(name)


def test_the_longest_name(client: Client) -> None:
    admin, name = client.admin(), unique("topic").ljust(249, "x")
    admin.create_topic(name)
    eventually(lambda: name in admin.topics(), "the topic is there")
    assert client.producer().deliver(name, b"value", partition=0).offset == 0
    admin.delete_topic(name)


def test_no_partitions(client: Client) -> None:
    with refused(Code.INVALID_PARTITIONS):
        client.admin().create_topic(unique("topic"), partitions=0)


def test_an_invalid_setting(client: Client) -> None:
    admin, name = client.admin(), unique("topic")
    with refused(Code.INVALID_CONFIG):
        admin.create_topic(name, config={"cleanup.policy": "shred"})
    assert name not in admin.topics()


def test_add_partitions(client: Client, topic: Topic) -> None:
    admin = client.admin()
    client.producer().deliver(topic.name, b"kept", partition=0)
    admin.add_partitions(topic.name, 4)
    eventually(lambda: admin.topics().get(topic.name) == 4, "the topic has four partitions")
    assert client.producer().deliver(topic.name, b"new", partition=3).offset == 0
    assert client.reader(topic[0]).read(1)[0].value == b"kept"


@pytest.mark.parametrize("total", [1, 2])
def test_partitions_never_become_fewer(client: Client, cluster: Cluster, total: int) -> None:
    topic = cluster.topic(partitions=2)
    with refused(Code.INVALID_PARTITIONS):
        client.admin().add_partitions(topic.name, total)


def test_partitions_of_an_unknown_topic(client: Client) -> None:
    with refused(Code.UNKNOWN_TOPIC_OR_PARTITION):
        client.admin().add_partitions(unique("topic"), 2)


def test_describe_settings(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(retention_ms="123456", cleanup_policy="compact")
    config = client.admin().topic_config(topic.name)
    assert config["retention.ms"] == "123456"
    assert config["cleanup.policy"] == "compact"
    # What nobody set is there with Apache Kafka's default.
    assert config["segment.bytes"] == str(1 << 30)
    assert config["message.timestamp.type"] == "CreateTime"


def test_settings_of_an_unknown_topic(client: Client) -> None:
    with refused(Code.UNKNOWN_TOPIC_OR_PARTITION):
        client.admin().topic_config(unique("topic"))


def test_replace_settings(client: Client, cluster: Cluster) -> None:
    topic, admin = cluster.topic(retention_ms="123456"), client.admin()
    default = admin.topic_config(cluster.topic().name)["retention.ms"]
    admin.replace_topic_config(topic.name, {"max.message.bytes": "5000"})
    eventually(lambda: admin.topic_config(topic.name)["max.message.bytes"] == "5000", "the setting is set")
    assert admin.topic_config(topic.name)["retention.ms"] == default


def test_change_settings(client: Client, cluster: Cluster) -> None:
    topic, admin = cluster.topic(retention_ms="123456"), client.admin()
    default = admin.topic_config(cluster.topic().name)["retention.ms"]
    admin.change_topic_config(topic.name, {"max.message.bytes": "5000"})
    eventually(lambda: admin.topic_config(topic.name)["max.message.bytes"] == "5000", "the setting is set")
    assert admin.topic_config(topic.name)["retention.ms"] == "123456"
    # A setting is not only remembered.
    with refused(Code.MESSAGE_TOO_LARGE):
        client.producer().deliver(topic.name, b"x" * 6000, partition=0)

    admin.change_topic_config(topic.name, unset=["retention.ms"])
    eventually(lambda: admin.topic_config(topic.name)["retention.ms"] == default, "the setting has its default")
    assert admin.topic_config(topic.name)["max.message.bytes"] == "5000"


def test_changing_to_an_invalid_value(client: Client, topic: Topic) -> None:
    admin = client.admin()
    before = admin.topic_config(topic.name)
    with refused(Code.INVALID_CONFIG):
        admin.change_topic_config(topic.name, {"retention.ms": "soon"})
    assert admin.topic_config(topic.name) == before


def test_describe_cluster(client: Client) -> None:
    assert client.admin().nodes()


def test_offsets_of_a_group_without_members(client: Client, cluster: Cluster, group: str) -> None:
    topic, admin = cluster.topic(partitions=2), client.admin()
    assert admin.committed(group, topic.all) == {}
    admin.alter_committed(group, {topic[0]: Committed(7, "moved"), topic[1]: Committed(8, "")})
    assert admin.committed(group, topic.all) == {topic[0]: Committed(7, "moved"), topic[1]: Committed(8, "")}
    admin.delete_committed(group, [topic[0]])
    assert admin.committed(group, topic.all) == {topic[1]: Committed(8, "")}


def test_offsets_of_a_group_with_members(client: Client, cluster: Cluster, topic: Topic, group: str) -> None:
    member = Member(client, [topic.name], group=group, session_timeout=cluster.session_timeout)
    admin = client.admin()
    try:
        eventually(lambda: member.assignment == topic.all, "the partition is assigned")
        member.call(lambda consumer: consumer.commit({topic[0]: Committed(0, "")}))
        with refused(Code.UNKNOWN_MEMBER_ID):
            admin.alter_committed(group, {topic[0]: Committed(7, "")})
        if client.name == "kafka-python":
            with refused(Code.GROUP_SUBSCRIBED_TO_TOPIC):
                admin.delete_committed(group, [topic[0]])
        assert admin.committed(group, topic.all) == {topic[0]: Committed(0, "")}
    finally:
        member.close()


def test_producing_to_a_compacted_topic_needs_keys(client: Client, cluster: Cluster) -> None:
    topic = cluster.topic(cleanup_policy="compact")
    producer = client.producer()
    assert producer.deliver(topic.name, b"value", key=b"key", partition=0).offset == 0
    # aiokafka does not know the code and reports an unknown error.
    with refused(Code.UNKNOWN_SERVER_ERROR if client.name == "aiokafka" else Code.INVALID_RECORD):
        producer.deliver(topic.name, b"value", partition=0)


def test_compaction_keeps_the_last_of_each_key(client: Client, cluster: Cluster) -> None:
    if not cluster.embedded:
        pytest.skip("Apache Kafka's cleaner runs every 15 s and never on the active segment")
    topic = cluster.topic(
        cleanup_policy="compact",
        segment_bytes="1024",
        min_cleanable_dirty_ratio="0.01",
        segment_ms="100",
        min_compaction_lag_ms="0",
    )
    producer = client.producer()
    total, keys = 200, 5
    for number in range(total):
        producer.send(topic.name, b"%d" % number, key=b"key-%d" % (number % keys), partition=0)
        if number % 10 == 9:
            producer.flush()

    def compacted() -> bool:
        records = client.reader(topic[0]).read_until(b"%d" % (total - 1))
        return len(records) < total // 2

    eventually(compacted, "older records of the same keys go", interval=0.2)
    records = client.reader(topic[0]).read_until(b"%d" % (total - 1))
    # Offsets stay as they were: a record is where it was written, or nowhere.
    assert all(record.value == b"%d" % record.offset for record in records)
    latest = {record.key: record.offset for record in records} | {b"key-4": total - 1}
    assert latest == {b"key-%d" % key: total - keys + key for key in range(keys)}
