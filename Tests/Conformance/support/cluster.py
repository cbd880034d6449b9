"""The cluster that a test talks to, ours or somebody else's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from uuid import uuid4

from .clients.base import Partition
from .clients.confluent import ConfluentAdmin, ConfluentClient
from .waiting import eventually

# For librdkafka's mock, which has no admin API but makes a topic when somebody asks for it.
WITHOUT_ADMIN = os.environ.get("KSTREAM_CONFORMANCE_WITHOUT_ADMIN") == "1"


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int

    def __getitem__(self, partition: int) -> Partition:
        return Partition(self.name, partition)

    @property
    def all(self) -> set[Partition]:
        return {Partition(self.name, partition) for partition in range(self.partitions)}


@dataclass
class Cluster:
    bootstrap: str
    # True for our own broker, which allows short time-outs that Apache Kafka's defaults don't.
    embedded: bool

    @property
    def session_timeout(self) -> float:
        """Seconds: the shortest that the broker allows (`group.min.session.timeout.ms` is 6 s in Apache Kafka)."""
        return 1.5 if self.embedded else 6.0

    def topic(self, partitions: int = 1, **config: str) -> Topic:
        """A new topic that no other test knows. Underscores in the names of settings stand for full stops."""
        name = unique("topic")
        admin = ConfluentClient(self.bootstrap).admin()
        assert isinstance(admin, ConfluentAdmin)
        if WITHOUT_ADMIN:
            partitions = admin.ask_for_topic(name)
        else:
            admin.create_topic(name, partitions, {key.replace("_", "."): value for key, value in config.items()})
        # Apache Kafka answers before every node knows of the topic.
        eventually(lambda: admin.topics().get(name) == partitions, f"{name} in the metadata", interval=0.005)
        return Topic(name, partitions)


def unique(kind: str) -> str:
    return f"conformance-{kind}-{uuid4().hex[:12]}"
