"""The contracts in Schemas: sound in themselves, and kept by what the pipeline writes to its topics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.clients.base import Record
from support.clients.confluent import ConfluentClient
from support.cluster import Cluster
from support.contracts import DIALECT, Channel, Contracts, violation, walk
from support.pipeline import EXCERPT, Topics, replay

CONTRACTS = Contracts.read()
SCHEMAS = pytest.mark.parametrize("name", list(CONTRACTS.schemas))
DEAD_LETTERS = ".dead-letters"
DEAD_LETTER = "DeadLetter"
COMMANDS = "orders.commands"
# No command, with a header that is no text.
POISON = b'{"type": "PlaceOrder"'
POISON_HEADERS = (("other", b"\xff\x00"),)
# What the excerpt does not have: a credit note that is rejected, and a command with nothing but what it must have.
FURTHER_COMMANDS: list[dict[str, Any]] = [
    {
        "type": "IssueCreditNote",
        "orderId": "C1",
        "customerId": None,
        "country": "France",
        "placedAt": "2011-02-03T04:05:06.7Z",
        "lines": [{"sku": "D", "quantity": 1, "unitPrice": 100}],
    },
    {"type": "PlaceOrder", "orderId": "1", "country": "", "placedAt": "2011-02-03T04:05:06Z", "lines": []},
]


# MARK: the documents


@SCHEMAS
def test_schemas_are_schemas(name: str) -> None:
    schema = CONTRACTS.schemas[name]
    assert schema["$schema"] == DIALECT
    assert schema["$id"].rpartition("/")[2] == name
    Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


@SCHEMAS
def test_examples_conform(name: str) -> None:
    def check(schema: Any, examples: list[Any]) -> None:
        validator = Draft202012Validator(
            schema, registry=CONTRACTS.registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for example in examples:
            assert violation(validator, example) is None, example

    schema = CONTRACTS.schemas[name]
    found = [each for each in walk(schema) if isinstance(each, dict) and isinstance(each.get("examples"), list)]
    assert found
    for each in found:
        # A definition that refers to others does so relative to its document.
        check(each if each is schema else {"$id": schema["$id"] + ".definition", **each}, each["examples"])


@pytest.mark.parametrize("name", [name for name, schema in CONTRACTS.schemas.items() if "oneOf" in schema])
def test_there_is_an_example_of_every_type(name: str) -> None:
    schema = CONTRACTS.schemas[name]
    types = {definition["properties"]["type"]["const"] for definition in schema["$defs"].values()}
    assert {example["type"] for example in schema["examples"]} == types
    assert len(schema["oneOf"]) == len(types)


def test_every_reference_leads_somewhere() -> None:
    references = list(CONTRACTS.references())
    for base, reference in references:
        CONTRACTS.registry.resolver(base).lookup(reference)
    assert len(references) > 50


def test_every_message_has_payload_headers_and_key() -> None:
    for name, message in CONTRACTS.asyncapi["components"]["messages"].items():
        assert {"name", "title", "summary", "headers", "payload"} <= message.keys(), name
        assert "key" in message["bindings"]["kafka"], name
        if message["name"] != DEAD_LETTER:
            assert message["payload"]["schemaFormat"] == "application/schema+json;version=2020-12", name
            assert message["payload"]["schema"].keys() == {"$ref"}, name
        Draft202012Validator.check_schema(message["headers"])


def test_every_channel_and_message_is_used() -> None:
    document = CONTRACTS.asyncapi
    assert document["asyncapi"] == "3.0.0"
    channels = {operation["channel"]["$ref"] for operation in document["operations"].values()}
    assert channels == {f"#/channels/{name}" for name in document["channels"]}
    assert {operation["action"] for operation in document["operations"].values()} == {"send", "receive"}
    messages = {message for channel in CONTRACTS.channels for message in channel.messages.values()}
    assert messages == {f"#/components/messages/{name}" for name in document["components"]["messages"]}


def test_payloads_are_of_the_type_that_the_headers_name() -> None:
    for name, message in CONTRACTS.asyncapi["components"]["messages"].items():
        if message["name"] == DEAD_LETTER:
            continue
        [own] = [each["properties"]["ce_type"]["const"] for each in message["headers"]["allOf"] if "properties" in each]
        assert own == message["name"]
        payload = CONTRACTS.resolve(message["payload"]["schema"]["$ref"])
        if "type" in payload.get("properties", {}):
            kind = payload["properties"]["type"]
            assert own in kind.get("enum", [kind.get("const")]), name


# MARK: what the pipeline writes


class Checker:
    """Counts the messages of each type, and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.violations: list[str] = []
        self._channels = {channel.topic: channel for channel in CONTRACTS.channels}
        self._topics = {
            topic: CONTRACTS.of_topic(channel)
            for topic, channel in self._channels.items()
            if not topic.endswith(DEAD_LETTERS)
        }
        self._headers = self._by_message(CONTRACTS.of_headers)
        self._payloads = self._by_message(CONTRACTS.of_payload)

    def check(self, record: Record) -> None:
        channel = self._channels[record.topic]
        try:
            found = list(self._dead_letter(record) if DEAD_LETTER in channel.messages else self._event(channel, record))
        except (ValueError, AttributeError, KeyError) as error:
            found = [repr(error)]
        place = f"{record.topic}[{record.partition}]@{record.offset}"
        self.violations += [f"{place}: {each}: {record.value!r} {record.headers!r}" for each in found if each]

    def _event(self, channel: Channel, record: Record) -> list[str | None]:
        assert record.key is not None and record.value is not None
        headers = {name: (value or b"").decode() for name, value in record.headers}
        value = json.loads(record.value)
        kind = headers["ce_type"]
        self.counts[record.topic, kind] += 1
        if kind not in channel.messages:
            return [f"{kind} is none of the messages of {channel.name}"]
        return [
            violation(self._headers[kind], headers),
            violation(self._topics[record.topic], value),
            violation(self._payloads[kind], value),
            None if len(headers) == len(record.headers) else "a header is there twice",
            None if record.key.decode() == value["orderId"] else f"the key is {record.key!r}",
            None if value.get("type", kind) == kind else f"ce_type is {kind}",
            # What this replay sends carries its id, and every answer to it the cause.
            None if "ce_replayid" in headers else "no ce_replayid",
            None if channel.topic == COMMANDS or "ce_correlationid" in headers else "no ce_correlationid",
            None if channel.topic == COMMANDS or "ce_causationid" in headers else "no ce_causationid",
        ]

    def _dead_letter(self, record: Record) -> list[str | None]:
        self.counts[record.topic, DEAD_LETTER] += 1
        headers = [header for header in record.headers if header not in POISON_HEADERS]
        text = {name: (value or b"").decode() for name, value in headers}
        return [
            violation(self._headers[DEAD_LETTER], text),
            None if len(headers) < len(record.headers) else "the headers that it had are gone",
            None if record.value == POISON else "the value is another",
        ]

    def _by_message(self, make: Callable[[str], Draft202012Validator]) -> dict[str, Draft202012Validator]:
        references = {name: ref for channel in self._channels.values() for name, ref in channel.messages.items()}
        return {name: make(reference) for name, reference in references.items()}


def test_what_the_pipeline_writes_conforms(
    cluster: Cluster, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    further = tmp_path / "further.jsonl"
    further.write_text("".join(json.dumps(command) + "\n" for command in FURTHER_COMMANDS))
    client = ConfluentClient(cluster.bootstrap)
    topics = Topics(cluster.bootstrap, {channel.topic for channel in CONTRACTS.channels})
    try:
        if COMMANDS not in topics.existing():
            client.admin().create_topic(COMMANDS, partitions=2)
        client.producer().deliver(COMMANDS, POISON, key=b"poison", headers=POISON_HEADERS)
        replay(cluster.bootstrap, EXCERPT)
        replay(cluster.bootstrap, further)
        assert topics.existing() == {channel.topic for channel in CONTRACTS.channels}
        records = [record for record in topics.read() if (record.topic, record.value) != (COMMANDS, POISON)]
    finally:
        topics.close()
        client.close()

    checker = Checker()
    for record in records:
        checker.check(record)
    for (topic, kind), count in sorted(checker.counts.items()):
        record_property(f"{topic} {kind}", count)
    assert not checker.violations, f"{len(checker.violations)}, such as " + "\n".join(checker.violations[:5])

    # Every message that is described was looked at. Of the dead letters those of commands stand for all.
    expected = {(channel.topic, name) for channel in CONTRACTS.channels for name in channel.messages}
    expected -= {(topic, kind) for topic, kind in expected if kind == DEAD_LETTER and topic != COMMANDS + DEAD_LETTERS}
    assert checker.counts.keys() == expected
    statuses = {json.loads(record.value or b"")["status"] for record in records if record.topic == "orders.status"}
    assert statuses == set(CONTRACTS.schemas["order-status.schema.json"]["properties"]["status"]["enum"])
