"""Consumer groups: who reads what, what happens when members come, go and die, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.clients.base import Client, Committed
from support.cluster import Cluster, Topic, unique
from support.errors import Code, KafkaFailure
from support.member import Member
from support.process import Process
from support.waiting import eventually

ASSIGNORS = ["range", "roundrobin", "cooperative-sticky"]
Join = Callable[..., Member]


@pytest.fixture
def wide(cluster: Cluster) -> Topic:
    """Six partitions, to be shared by two or three."""
    return cluster.topic(partitions=6)


@pytest.fixture
def join(client: Client, cluster: Cluster, group: str) -> Iterator[Join]:
    """Makes members of the test's group."""
    members: list[Member] = []

    def make(topic: Topic, **options: Any) -> Member:
        options = {"group": group, "session_timeout": cluster.session_timeout} | options
        members.append(Member(client, [topic.name], **options))
        return members[-1]

    yield make
    for member in members:
        member.close()


def shared(topic: Topic, *members: Member) -> bool:
    """All partitions are given, none twice, and to each member as many as to the others (give or take one)."""
    assignments = [member.assignment for member in members]
    sizes = [len(assignment) for assignment in assignments]
    return set().union(*assignments) == topic.all and sum(sizes) == topic.partitions and max(sizes) - min(sizes) <= 1


def produce(client: Client, topic: Topic, count: int, start: int = 0) -> set[bytes]:
    producer = client.producer()
    values = [b"%d" % number for number in range(start, start + count)]
    waiting = [
        producer.send(topic.name, value, partition=number % topic.partitions) for number, value in enumerate(values)
    ]
    for wait in waiting:
        wait()
    producer.close()
    return set(values)


@pytest.mark.parametrize("assignor", ASSIGNORS)
@pytest.mark.parametrize("count", [2, 3])
def test_members_share_the_partitions(client: Client, wide: Topic, join: Join, assignor: str, count: int) -> None:
    members = [join(wide, assignor=assignor) for _ in range(count)]
    eventually(lambda: shared(wide, *members), f"{count} members share {wide.partitions} partitions")
    values = produce(client, wide, 60)
    eventually(lambda: sum(len(member.records) for member in members) >= 60, "every record is read")
    read = [value for member in members for value in member.values]
    assert len(read) == 60 and set(read) == values
    for member in members:
        assert {record.partition for record in member.records} == {place.partition for place in member.assignment}


@pytest.mark.parametrize("assignor", ASSIGNORS)
def test_a_member_that_leaves(client: Client, wide: Topic, join: Join, assignor: str) -> None:
    # The session is long: only a member that says that it leaves makes room within the deadline.
    first = join(wide, assignor=assignor, session_timeout=120.0)
    second = join(wide, assignor=assignor, session_timeout=120.0)
    eventually(lambda: shared(wide, first, second), "two members share")
    second.close()
    eventually(lambda: first.assignment == wide.all, "the one that stays has all")
    values = produce(client, wide, 12)
    eventually(lambda: values <= set(first.values), "it reads from all")


@pytest.mark.parametrize("assignor", ["range", "cooperative-sticky"])
def test_a_member_that_is_killed(
    client: Client, cluster: Cluster, wide: Topic, group: str, join: Join, assignor: str
) -> None:
    survivor = join(wide, assignor=assignor)
    arguments = {"topic": wide.name, "group": group, "assignor": assignor, "session_timeout": cluster.session_timeout}
    with Process("member", client, **arguments) as process:
        eventually(
            lambda: len(process.last("assignment") or []) == 3 and len(survivor.assignment) == 3, "two members share"
        )
        process.kill()
    eventually(lambda: survivor.assignment == wide.all, "the survivor has all once the session is over")
    values = produce(client, wide, 12)
    eventually(lambda: values <= set(survivor.values), "it reads from all")


def test_cooperative_members_keep_what_they_have(wide: Topic, join: Join) -> None:
    first = join(wide, assignor="cooperative-sticky")
    eventually(lambda: first.assignment == wide.all, "the first has all")
    seen: list[set[Any]] = []
    second = join(wide, assignor="cooperative-sticky")

    def settled() -> bool:
        seen.append(set(first.assignment))
        return shared(wide, first, second)

    eventually(settled, "two members share")
    assert all(len(assignment) >= 3 for assignment in seen), "the first gave up more than it had to"


def test_a_static_member_restarts_without_a_rebalance(client: Client, wide: Topic, join: Join) -> None:
    other = join(wide, instance=unique("other"), session_timeout=30.0)
    instance = unique("restarted")
    before = join(wide, instance=instance, session_timeout=30.0)
    eventually(lambda: shared(wide, other, before), "two static members share")
    had, rebalances, others = set(before.assignment), other.rebalances, set(other.assignment)

    before.close()
    after = join(wide, instance=instance, session_timeout=30.0)
    eventually(lambda: after.assignment == had, "it has what it had")
    values = produce(client, wide, 12)
    eventually(lambda: values <= set(after.values + other.values), "all is read")
    assert (other.rebalances, other.assignment) == (rebalances, others)


def test_a_fenced_static_member(client: Client, wide: Topic, join: Join) -> None:
    if client.name == "aiokafka":
        pytest.skip("aiokafka does not know the error FENCED_INSTANCE_ID")
    instance = unique("instance")
    first = join(wide, instance=instance)
    eventually(lambda: first.assignment == wide.all, "the first has all")
    second = join(wide, instance=instance)
    eventually(lambda: second.assignment == wide.all, "the second takes its place")

    def told() -> KafkaFailure | None:
        if client.name != "kafka-python":
            return first.failure
        # Its heartbeats end without a word to anybody; a commit has an answer.
        try:
            first.call(lambda consumer: consumer.commit({wide[0]: Committed(0, "")}))
        except KafkaFailure as failure:
            return failure
        return None

    failure = eventually(told, "the first is told")
    # librdkafka makes a fatal error of its own of it.
    assert failure.code == Code.FENCED_INSTANCE_ID or "Static consumer fenced" in str(failure)


def test_resuming_where_the_group_was(client: Client, topic: Topic, join: Join) -> None:
    produce(client, topic, 10)
    first = join(topic)
    eventually(lambda: len(first.records) == 10, "the first reads all")
    first.call(lambda consumer: consumer.commit({topic[0]: Committed(6, "")}))
    first.close()

    second = join(topic)
    eventually(lambda: len(second.records) >= 4, "the second reads the rest")
    assert [record.offset for record in second.records] == [6, 7, 8, 9]


def test_committed_offsets_with_metadata(client: Client, topic: Topic, group: str, join: Join) -> None:
    produce(client, topic, 5)
    member = join(topic)
    eventually(lambda: member.assignment == topic.all, "the partition is assigned")
    assert member.call(lambda consumer: consumer.committed(topic[0])) is None
    member.call(lambda consumer: consumer.commit({topic[0]: Committed(3, "the third, ünïcode")}))
    assert member.call(lambda consumer: consumer.committed(topic[0])) == 3
    assert client.admin().committed(group, [topic[0]]) == {topic[0]: Committed(3, "the third, ünïcode")}
    member.call(lambda consumer: consumer.commit({topic[0]: Committed(1, "")}))
    assert client.admin().committed(group, [topic[0]]) == {topic[0]: Committed(1, "")}


def test_commits_without_membership(client: Client, topic: Topic, group: str) -> None:
    if client.name == "aiokafka":
        pytest.skip("aiokafka commits for groups only while it is a member or nobody is; covered by the others")
    produce(client, topic, 3)
    consumer = client.consumer(group=group)
    consumer.assign({topic[0]: None})
    consumer.commit({topic[0]: Committed(2, "")})
    assert consumer.committed(topic[0]) == 2
    resumed = client.consumer(group=group)
    resumed.assign({topic[0]: None})
    assert resumed.read(1)[0].offset == 2


def test_a_commit_of_a_stranger_is_refused(client: Client, topic: Topic, group: str, join: Join) -> None:
    if client.name == "aiokafka":
        pytest.skip("aiokafka does not report the refusal of a commit by hand")
    member = join(topic)
    eventually(lambda: member.assignment == topic.all, "the partition is assigned")
    stranger = client.consumer(group=group)
    stranger.assign({topic[0]: None})
    with pytest.raises(KafkaFailure):
        stranger.commit({topic[0]: Committed(1, "")})
    assert client.admin().committed(group, [topic[0]]) == {}


def test_listing_and_describing(client: Client, wide: Topic, group: str, join: Join) -> None:
    admin = client.admin()
    assert group not in admin.groups()
    first = join(wide, client_id="first")
    second = join(wide, client_id="second", instance="instance-of-the-second")
    eventually(lambda: shared(wide, first, second), "two members share")

    assert group in admin.groups()
    described = eventually(
        lambda: (found := admin.describe_group(group)).state == "STABLE" and found, "the group is stable"
    )
    assert described.protocol == "range"
    by_client = {member.client_id: member for member in described.members}
    assert set(by_client) == {"first", "second"}
    assert by_client["first"].partitions == first.assignment
    assert by_client["second"].partitions == second.assignment

    first.close()
    if client.name == "confluent-kafka":
        assert by_client["second"].instance == "instance-of-the-second"


def test_an_empty_group(client: Client, topic: Topic, group: str, join: Join) -> None:
    member = join(topic)
    eventually(lambda: member.assignment == topic.all, "the partition is assigned")
    member.call(lambda consumer: consumer.commit({topic[0]: Committed(0, "")}))
    member.close()
    admin = client.admin()
    described = eventually(
        lambda: (found := admin.describe_group(group)).state == "EMPTY" and found, "the group is empty"
    )
    assert described.members == ()


def test_deleting_groups(client: Client, topic: Topic, group: str, join: Join) -> None:
    member = join(topic)
    eventually(lambda: member.assignment == topic.all, "the partition is assigned")
    member.call(lambda consumer: consumer.commit({topic[0]: Committed(0, "kept")}))
    admin = client.admin()
    with pytest.raises(KafkaFailure) as raised:
        admin.delete_group(group)
    assert raised.value.code == Code.NON_EMPTY_GROUP

    member.close()
    eventually(lambda: admin.describe_group(group).state == "EMPTY", "the group is empty")
    admin.delete_group(group)
    assert group not in admin.groups()
    assert admin.committed(group, [topic[0]]) == {}
    with pytest.raises(KafkaFailure) as raised:
        admin.delete_group(group)
    assert raised.value.code == Code.GROUP_ID_NOT_FOUND


def test_new_partitions_are_shared_out(client: Client, topic: Topic, join: Join) -> None:
    # A client sees new partitions when it asks for metadata again.
    member = join(topic, metadata_age=1.0)
    eventually(lambda: member.assignment == topic.all, "the partition is assigned")
    client.admin().add_partitions(topic.name, 3)
    grown = Topic(topic.name, 3)
    other = join(topic, metadata_age=1.0)
    eventually(lambda: shared(grown, member, other), "three partitions are assigned")
