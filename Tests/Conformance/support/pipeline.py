"""`order-pipeline replay` as a process, and what is in topics afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from .broker import REPOSITORY, binary
from .clients.base import Record
from .cluster import unique
from .waiting import Deadline

EXCERPT = REPOSITORY / "Sources" / "order-pipeline" / "Resources" / "online-retail-excerpt.csv"
REPLAYED_WITHIN = 90.0


def pipeline_binary() -> Path:
    """`order-pipeline`: it is built into the same folder as the `kstream` that is used."""
    program = binary().with_name("order-pipeline")
    if not program.is_file():
        reason = f"there is no {program}: build it (swift build -c release --product order-pipeline)"
        if "KSTREAM_BINARY" in os.environ or "KSTREAM_BOOTSTRAP_SERVERS" in os.environ:
            pytest.skip(reason)
        pytest.fail(reason)
    return program


def replay(bootstrap: str, file: Path) -> str:
    """Sends the orders of a file through the pipeline, and returns the report."""
    command = [str(pipeline_binary()), "replay", str(file), "-b", bootstrap, "--verify"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=REPLAYED_WITHIN, check=False
    )
    if done.returncode and "the cluster does not create it" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, f"order-pipeline replay ended with {done.returncode}: {done.stderr}{done.stdout}"
    return done.stdout


class Topics:
    """Reads what is added to topics: all that is committed, from where they end when this is made."""

    def __init__(self, bootstrap: str, names: Iterable[str]) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": unique("group"),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        self._names = set(names)
        self._starts = {
            (name, partition): self._consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)[1]
            for name, partition in self._partitions()
        }

    def existing(self) -> set[str]:
        """Those of the topics that are there."""
        return {name for name, _ in self._partitions()}

    def read(self) -> list[Record]:
        """What was added, up to the ends of all partitions."""
        partitions = self._partitions()
        self._consumer.assign(
            [
                TopicPartition(name, number, self._starts.get((name, number), OFFSET_BEGINNING))
                for name, number in partitions
            ]
        )
        deadline = Deadline()
        records: list[Record] = []
        unfinished = set(partitions)
        while unfinished:
            deadline.check(f"the ends of {sorted(unfinished)}")
            message = self._consumer.poll(0.5)
            if message is None:
                continue
            if error := message.error():
                assert error.code() == KafkaError._PARTITION_EOF, error
                unfinished.discard((message.topic(), message.partition()))
                continue
            records.append(
                Record(
                    topic=message.topic(),
                    partition=message.partition(),
                    offset=message.offset(),
                    key=message.key(),
                    value=message.value(),
                    headers=tuple(message.headers() or ()),
                )
            )
        return records

    def close(self) -> None:
        self._consumer.close()

    def _partitions(self) -> list[tuple[str, int]]:
        # All topics, since asking for those of a name may make them.
        known = self._consumer.list_topics(timeout=10).topics
        return [(name, number) for name in self._names & known.keys() for number in known[name].partitions]
