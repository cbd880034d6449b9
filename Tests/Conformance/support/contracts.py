"""The contracts in Schemas as others read them: JSON Schema by jsonschema, the AsyncAPI document by its references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .broker import REPOSITORY

DIRECTORY = REPOSITORY / "Schemas"
ASYNCAPI = "asyncapi.yaml"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Channel:
    """A topic, with what may be in it."""

    name: str
    topic: str
    # The messages by their names, each with the address of its definition.
    messages: Mapping[str, str]


@dataclass(frozen=True)
class Contracts:
    """The documents of a directory, by the addresses by which they refer to each other."""

    schemas: Mapping[str, Any]
    asyncapi: Any

    @staticmethod
    def read(directory: Path = DIRECTORY) -> Contracts:
        schemas = {path.name: json.loads(path.read_bytes()) for path in sorted(directory.glob("*.schema.json"))}
        return Contracts(schemas, yaml.safe_load((directory / ASYNCAPI).read_text()))

    @property
    def base(self) -> str:
        """The address of the AsyncAPI document."""
        return self.asyncapi["id"]

    @cached_property
    def registry(self) -> Registry[Any]:
        """The documents as they are."""
        return self._registry(self.schemas)

    @cached_property
    def _closed(self) -> Registry[Any]:
        """The documents with schemas that allow nothing but what they describe: a writer must have told everything."""
        return self._registry({name: closed(schema) for name, schema in self.schemas.items()})

    def _registry(self, schemas: Mapping[str, Any]) -> Registry[Any]:
        documents = [(schema["$id"], schema) for schema in schemas.values()] + [(self.base, self.asyncapi)]
        return Registry().with_resources((uri, DRAFT202012.create_resource(document)) for uri, document in documents)

    # MARK: the AsyncAPI document

    @property
    def channels(self) -> list[Channel]:
        return [
            Channel(
                name,
                channel["address"],
                {self.resolve(entry["$ref"])["name"]: entry["$ref"] for entry in channel["messages"].values()},
            )
            for name, channel in self.asyncapi["channels"].items()
        ]

    def resolve(self, reference: str) -> Any:
        """What a reference of the AsyncAPI document leads to; raises `referencing.exceptions.Unresolvable`."""
        return self.registry.resolver(self.base).lookup(reference).contents

    def references(self) -> Iterator[tuple[str, str]]:
        """Every reference in every document, with the address that it is relative to."""
        for base, document in [(self.base, self.asyncapi), *((each["$id"], each) for each in self.schemas.values())]:
            for found in walk(document):
                if isinstance(found, dict) and isinstance(found.get("$ref"), str):
                    yield base, found["$ref"]

    # MARK: validators

    def of_headers(self, message: str) -> Draft202012Validator:
        """For the headers of a message, by its reference; those that are not described are refused."""
        return self._validator(f"{message}/headers", unevaluatedProperties=False)

    def of_payload(self, message: str) -> Draft202012Validator:
        """For the value of a message, by its reference; members that are not described are refused."""
        return self._validator(f"{message}/payload/schema")

    def of_topic(self, channel: Channel) -> Draft202012Validator:
        """For every value of a topic: the whole document that the payloads of its messages are of."""
        payloads = [self.resolve(f"{message}/payload/schema")["$ref"] for message in channel.messages.values()]
        [document] = {urldefrag(payload).url for payload in payloads}
        return self._validator(document)

    def _validator(self, reference: str, **further: Any) -> Draft202012Validator:
        schema = {"$schema": DIALECT, "$ref": urljoin(self.base, reference), **further}
        checker = Draft202012Validator.FORMAT_CHECKER
        return Draft202012Validator(schema, registry=self._closed, format_checker=checker)


def walk(document: Any) -> Iterator[Any]:
    """The document and everything in it."""
    yield document
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for each in inner:
        yield from walk(each)


def closed(schema: Any) -> Any:
    """The schema, where objects have no other members than those that are described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: value if key in ("enum", "const", "examples") else closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        copy.setdefault("additionalProperties", False)
    return copy


def violation(validator: Draft202012Validator, instance: Any) -> str | None:
    """What is wrong with it, and where; None where nothing is."""
    error = best_match(validator.iter_errors(instance))
    return error and f"{error.json_path}: {error.message}"
