"""What the order pipeline writes is what Schemas/ says, by a validator that others wrote."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from support.broker import REPOSITORY, Broker, binary

SCHEMAS = REPOSITORY / "Schemas"
EXCERPT = REPOSITORY / "Sources" / "order-pipeline" / "Resources" / "online-retail-excerpt.csv"
FILES = sorted(SCHEMAS.glob("*.schema.json"))

# The values of each topic by their types; the excerpt has every case of the rules but that of a rejected credit note.
TYPES = {
    "orders.commands": {"PlaceOrder", "IssueCreditNote"},
    "orders.events": {"OrderPlaced", "OrderRejected", "OrderCancelled", "CreditNoteIssued", "InvoiceRefused"},
    "payments.events": {"PaymentAuthorised", "PaymentDeclined", "PaymentRefunded"},
    "shipping.events": {"OrderShipped", "ShipmentFailed"},
    "orders.status": {"OrderStatus"},
}


def load(path: Path) -> Any:
    return json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())


DOCUMENT = load(SCHEMAS / "asyncapi.yaml")
# Schemas are found by the names of their files, and the parts of the document by theirs.
REGISTRY: Registry[Any] = Registry().with_resources(
    [(load(file)["$id"], Resource.from_contents(load(file))) for file in FILES]
    + [(f"https://kstream.example/schemas/{file.name}", Resource.from_contents(load(file))) for file in FILES]
)


def validator(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(schema, registry=REGISTRY, format_checker=FormatChecker())


def look_up(reference: str) -> Any:
    """What a $ref of the document stands for; a schema of a file is one that refers to it."""
    if not reference.startswith("#/"):
        assert (SCHEMAS / reference).is_file(), reference
        return {"$ref": f"https://kstream.example/schemas/{Path(reference).name}"}
    found = DOCUMENT
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def expanded(node: Any) -> Any:
    """A part of the document with what it refers to in its place."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str) and not node["$ref"].startswith("https://"):
            return expanded(look_up(node["$ref"]))
        return {key: expanded(value) for key, value in node.items()}
    if isinstance(node, list):
        return [expanded(item) for item in node]
    return node


# MARK: the documents by themselves


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_schema_is_one_and_its_examples_conform(file: Path) -> None:
    schema = load(file)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{file.name}")
    examples = schema.get("examples", [])
    assert examples or file.name == "common.schema.json"
    for example in examples:
        validator(schema).validate(example)


def test_the_document_describes_every_channel() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    channels = {channel["address"]: channel for channel in expanded(DOCUMENT["channels"]).values()}
    letters = {f"{topic}.dead-letters" for topic in TYPES if topic != "orders.status"}
    assert set(channels) == set(TYPES) | letters
    for channel in channels.values():
        assert channel["description"]
        for message in channel["messages"].values():
            Draft202012Validator.check_schema(message["headers"])
            Draft202012Validator.check_schema(message["payload"])
    for operation in expanded(DOCUMENT["operations"]).values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["address"] in channels


# MARK: what is written


@dataclass(frozen=True)
class Written:
    """The committed records of all topics."""

    records: dict[str, list[confluent_kafka.Message]]


def read(bootstrap: str, topic: str) -> list[confluent_kafka.Message]:
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        records: list[confluent_kafka.Message] = []
        open_partitions = set(partitions)
        while open_partitions:
            record = consumer.poll(20)
            assert record is not None, f"{topic} did not come to its end"
            if record.error() is None:
                records.append(record)
            elif record.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                open_partitions.discard(record.partition())
            else:
                raise confluent_kafka.KafkaException(record.error())
        return records
    finally:
        consumer.close()


def replay(bootstrap: str, *arguments: str) -> None:
    command = [str(binary().parent / "order-pipeline"), "replay", str(EXCERPT), "-b", bootstrap, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def written() -> Iterator[Written]:
    """A run of the pipeline on a broker of its own: its topics have names that nobody can choose."""
    broker = Broker()
    bootstrap = broker.start()
    try:
        replay(bootstrap)
        # No command at all, and one that lacks its lines: dead letters of the next run.
        producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
        for value in (b"\xff", b'{"type":"PlaceOrder","orderId":"1"}'):
            producer.produce("orders.commands", key=b"1", value=value)
        assert producer.flush(10) == 0
        replay(bootstrap, "--invoices", "5")
        topics = [*TYPES, "orders.commands.dead-letters"]
        yield Written({topic: read(bootstrap, topic) for topic in topics})
    finally:
        broker.stop()


def message_of(topic: str) -> Any:
    channel = next(channel for channel in expanded(DOCUMENT["channels"]).values() if channel["address"] == topic)
    (message,) = channel["messages"].values()
    return message


def headers_of(record: confluent_kafka.Message) -> dict[str, str | None]:
    pairs = record.headers() or []
    headers = {key: value.decode() if value is not None else None for key, value in pairs}
    assert len(headers) == len(pairs), "no header is there twice"
    return headers


@pytest.mark.parametrize("topic", TYPES)
def test_what_is_written_conforms(written: Written, topic: str) -> None:
    message = message_of(topic)
    payload, headers = validator(message["payload"]), validator(message["headers"])
    seen: Counter[str] = Counter()
    for record in written.records[topic]:
        own = headers_of(record)
        if topic == "orders.commands" and "ce_id" not in own:
            # What this test put there itself.
            continue
        headers.validate(own)
        value = json.loads(record.value() or b"")
        payload.validate(value)
        assert (record.key() or b"").decode() == value["orderId"]
        assert own["ce_type"] == value.get("type", "OrderStatus")
        seen[str(own["ce_type"])] += 1
    assert set(seen) == TYPES[topic]
    print(topic, dict(seen))


def test_dead_letters_conform(written: Written) -> None:
    letters = written.records["orders.commands.dead-letters"]
    assert len(letters) == 2
    for letter in letters:
        validator(message_of("orders.commands.dead-letters")["headers"]).validate(headers_of(letter))
        assert letter.key() == b"1"


def test_the_validator_finds_what_is_wrong(written: Written) -> None:
    """Otherwise all of the above says nothing."""
    payload = validator(message_of("orders.events")["payload"])
    placed = next(
        value
        for value in (json.loads(record.value() or b"") for record in written.records["orders.events"])
        if value["type"] == "OrderPlaced"
    )
    payload.validate(placed)
    for change in (
        {"total": 0},
        {"total": 1.5},
        {"placedAt": "2010-12-01 08:26:00"},
        {"placedAt": "2010-13-01T08:26:00Z"},
        {"orderId": ""},
        {"type": "OrderRejected"},
        {"country": None},
    ):
        assert not payload.is_valid(placed | change), change
    for name in ("orderId", "country", "placedAt", "lineCount", "total", "type"):
        assert not payload.is_valid({key: value for key, value in placed.items() if key != name}), name
