"""kcat, as people use it at a prompt: a librdkafka of another age than confluent-kafka's."""

from __future__ import annotations

import json
from collections.abc import Callable

from support.clients import ConfluentClient
from support.cluster import Cluster, Topic

Kcat = Callable[..., str]


def test_metadata(kcat: Kcat, cluster: Cluster) -> None:
    topic = cluster.topic(partitions=3)
    listing = json.loads(kcat("-b", cluster.bootstrap, "-L", "-J", "-t", topic.name))
    assert listing["brokers"]
    [described] = listing["topics"]
    assert described["topic"] == topic.name
    assert [partition["partition"] for partition in described["partitions"]] == [0, 1, 2]
    nodes = {broker["id"] for broker in listing["brokers"]}
    assert all(partition["leader"] in nodes for partition in described["partitions"])


def test_metadata_of_everything(kcat: Kcat, cluster: Cluster, topic: Topic) -> None:
    listing = kcat("-b", cluster.bootstrap, "-L")
    assert f'topic "{topic.name}" with {topic.partitions} partition' in listing


def test_produce_and_consume(kcat: Kcat, cluster: Cluster, topic: Topic) -> None:
    lines = "".join(f"key-{number}:value {number}\n" for number in range(10))
    kcat("-b", cluster.bootstrap, "-P", "-t", topic.name, "-p", "0", "-K", ":", "-H", "a=1", "-H", "b=", stdin=lines)
    out = kcat(
        "-b",
        cluster.bootstrap,
        "-C",
        "-t",
        topic.name,
        "-p",
        "0",
        "-o",
        "beginning",
        "-e",
        "-q",
        "-f",
        r"%t/%p/%o %k=%s [%h] %K %S\n",
    )
    assert out.splitlines() == [
        f"{topic.name}/0/{number} key-{number}=value {number} [a=1,b=] 5 7" for number in range(10)
    ]


def test_compression_and_null_values(kcat: Kcat, cluster: Cluster, topic: Topic) -> None:
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        kcat(
            "-b",
            cluster.bootstrap,
            "-P",
            "-t",
            topic.name,
            "-p",
            "0",
            "-K",
            ":",
            "-Z",
            "-z",
            codec,
            stdin=f"{codec}:\n{codec}:value\n",
        )
    out = kcat("-b", cluster.bootstrap, "-C", "-t", topic.name, "-p", "0", "-o", "beginning", "-e", "-q", "-J")
    records = [json.loads(line) for line in out.splitlines()]
    assert [(record["key"], record["payload"]) for record in records] == [
        (codec, payload) for codec in ("gzip", "snappy", "lz4", "zstd") for payload in (None, "value")
    ]
    assert [record["offset"] for record in records] == list(range(8))
    assert all(record["tstype"] == "create" for record in records)


def test_offsets_from_either_end(kcat: Kcat, cluster: Cluster, topic: Topic) -> None:
    kcat("-b", cluster.bootstrap, "-P", "-t", topic.name, "-p", "0", stdin="a\nb\nc\nd\n")

    def from_offset(offset: str) -> list[str]:
        arguments = ("-C", "-t", topic.name, "-p", "0", "-o", offset, "-e", "-q", "-f", r"%o%s\n")
        return kcat("-b", cluster.bootstrap, *arguments).splitlines()

    assert from_offset("2") == ["2c", "3d"]
    assert from_offset("-1") == ["3d"]
    assert from_offset("end") == []


def test_query_by_time(kcat: Kcat, cluster: Cluster) -> None:
    topic = cluster.topic(retention_ms="-1")
    base = 1_600_000_000_000
    client = ConfluentClient(cluster.bootstrap)
    producer = client.producer()
    for number in range(4):
        producer.deliver(topic.name, b"value", partition=0, timestamp=base + 1000 * number)
    client.close()

    def offset(timestamp: int) -> str:
        return kcat("-b", cluster.bootstrap, "-Q", "-t", f"{topic.name}:0:{timestamp}").strip()

    assert offset(base + 1500) == f"{topic.name} [0] offset 2"
    assert offset(-2) == f"{topic.name} [0] offset 0"
    assert offset(-1) == f"{topic.name} [0] offset 4"


def test_group(kcat: Kcat, cluster: Cluster, topic: Topic, group: str) -> None:
    kcat("-b", cluster.bootstrap, "-P", "-t", topic.name, "-p", "0", stdin="a\nb\nc\n")
    arguments = (
        "-b",
        cluster.bootstrap,
        "-q",
        "-f",
        r"%s\n",
        "-X",
        "auto.offset.reset=earliest",
        "-G",
        group,
    )
    assert kcat("-c", "2", *arguments, topic.name).splitlines() == ["a", "b"]
    # What the first has read is committed when it leaves.
    assert kcat("-c", "1", *arguments, topic.name).splitlines() == ["c"]


def test_transaction(kcat: Kcat, cluster: Cluster, topic: Topic, transactional_id: str) -> None:
    kcat(
        "-b",
        cluster.bootstrap,
        "-P",
        "-t",
        topic.name,
        "-p",
        "0",
        "-X",
        f"transactional.id={transactional_id}",
        stdin="a\nb\n",
    )
    out = kcat(
        "-b",
        cluster.bootstrap,
        "-C",
        "-t",
        topic.name,
        "-p",
        "0",
        "-o",
        "beginning",
        "-e",
        "-q",
        "-X",
        "isolation.level=read_committed",
    )
    assert out.splitlines() == ["a", "b"]
