"""What no client would send. The broker refuses it or closes, and goes on serving the others."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from support.clients import ConfluentClient
from support.cluster import Cluster, Topic
from support.errors import Code
from support.waiting import eventually
from support.wire import API_VERSIONS, DESCRIBE_GROUPS, METADATA, Connection, request

GARBAGE = random.Random(20)


@pytest.fixture(autouse=True)
def others_are_served(cluster: Cluster, topic: Topic) -> Iterator[None]:
    """After each test an honest client produces and consumes, on new connections and on one that was there before."""
    client = ConfluentClient(cluster.bootstrap)
    producer, reader = client.producer(), client.reader(topic[0])
    producer.deliver(topic.name, b"before", partition=0)
    assert reader.read(1)[0].value == b"before"
    yield
    producer.deliver(topic.name, b"after", partition=0)
    assert reader.read(1)[0].value == b"after"
    assert client.producer().deliver(topic.name, b"new", partition=0).offset == 2
    client.close()


def answers(connection: Connection) -> bool:
    """A plain ApiVersions is answered without an error."""
    connection.send(request(API_VERSIONS, 0, correlation=77))
    response = connection.receive()
    return response is not None and struct.unpack(">ih", response[:6]) == (77, 0)


def test_an_unknown_version_of_api_versions(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        # Flexible header and fields that nobody can know of.
        connection.send(request(API_VERSIONS, 99, body=b"\x00\x08hostile\x041.0\x00", correlation=5))
        response = connection.receive()
        assert response is not None
        correlation, error, count = struct.unpack(">ihi", response[:10])
        # KIP-511: the body of version 0, with the versions that a client may ask with.
        assert (correlation, error) == (5, Code.UNSUPPORTED_VERSION)
        keys = {
            key: (lowest, highest) for key, lowest, highest in struct.iter_unpack(">hhh", response[10 : 10 + 6 * count])
        }
        assert len(response) == 10 + 6 * count
        lowest, highest = keys[API_VERSIONS]
        assert lowest == 0 and 3 <= highest < 99
        assert answers(connection)


def test_api_versions_says_each_key_once(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(API_VERSIONS, 0))
        response = connection.receive()
    assert response is not None
    _, error, count = struct.unpack(">ihi", response[:10])
    entries = list(struct.iter_unpack(">hhh", response[10:]))
    assert error == 0 and len(entries) == count
    assert len({key for key, _, _ in entries}) == count
    assert all(0 <= lowest <= highest for _, lowest, highest in entries)
    # Produce, Fetch, ListOffsets, Metadata, the group's and the transaction's.
    assert {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18, 22, 24, 25, 26, 28} <= {key for key, _, _ in entries}


@pytest.mark.parametrize("version", [-1, 99, 32767])
def test_an_unknown_version_of_another_request(cluster: Cluster, version: int) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(METADATA, version, body=b"\0\0\0\0"))
        assert connection.is_closed


@pytest.mark.parametrize("api", [-1, 999, 32767])
def test_an_unknown_api(cluster: Cluster, api: int) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(api, 0))
        assert connection.is_closed


@pytest.mark.parametrize("length", [-1, -(2**31), 2**31 - 1, 1 << 30])
def test_absurd_lengths(cluster: Cluster, length: int) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(struct.pack(">i", length) + b"\0" * 64)
        # Never waits for two gigabytes, and never sets them aside.
        assert connection.is_closed


@pytest.mark.parametrize("count", [2**31 - 1, 1 << 24])
def test_absurd_counts(cluster: Cluster, count: int) -> None:
    # Metadata for as many topics as it says, without any.
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(METADATA, 1, body=struct.pack(">i", count)))
        assert connection.is_closed


@pytest.mark.parametrize("count", [-1, -2, -(2**31)])
def test_negative_counts(cluster: Cluster, count: int) -> None:
    # Less than nothing is null, which the groups to describe cannot be.
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(DESCRIBE_GROUPS, 0, body=struct.pack(">i", count)))
        assert connection.is_closed


def test_a_string_longer_than_its_request(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(METADATA, 1, body=struct.pack(">ih", 1, 30_000) + b"short"))
        assert connection.is_closed


def test_a_header_that_ends_early(cluster: Cluster) -> None:
    for length in range(8):
        with Connection(cluster.bootstrap) as connection:
            connection.send(struct.pack(">i", length) + b"\0" * length)
            assert connection.is_closed, f"{length} bytes"


def test_other_protocols(cluster: Cluster) -> None:
    for hello in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-x\r\n",
    ):
        with Connection(cluster.bootstrap) as connection:
            connection.send(hello)
            assert connection.is_closed, hello


def test_random_bytes(cluster: Cluster) -> None:
    for _ in range(50):
        with Connection(cluster.bootstrap) as connection:
            connection.send(GARBAGE.randbytes(GARBAGE.randrange(1, 4000)))


def test_random_bodies_behind_true_headers(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(request(API_VERSIONS, 0))
        response = connection.receive()
    assert response is not None
    offered = list(struct.iter_unpack(">hhh", response[10 : 10 + 6 * struct.unpack(">i", response[6:10])[0]]))
    for key, lowest, highest in offered:
        for version in range(lowest, highest + 1):
            with Connection(cluster.bootstrap) as connection:
                connection.send(request(key, version, body=GARBAGE.randbytes(GARBAGE.randrange(0, 200))))


def test_half_a_request_and_then_nothing(cluster: Cluster) -> None:
    whole = request(METADATA, 1, body=struct.pack(">i", -1))
    for end in range(1, len(whole)):
        with Connection(cluster.bootstrap) as connection:
            connection.send(whole[:end])


def test_a_request_byte_by_byte(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        for byte in request(API_VERSIONS, 0, correlation=9):
            connection.send(bytes([byte]))
        response = connection.receive()
        assert response is not None and struct.unpack(">i", response[:4]) == (9,)


def test_many_requests_at_once_are_answered_in_order(cluster: Cluster) -> None:
    with Connection(cluster.bootstrap) as connection:
        connection.send(b"".join(request(API_VERSIONS, 0, correlation=number) for number in range(200)))
        for number in range(200):
            response = connection.receive()
            assert response is not None and struct.unpack(">i", response[:4]) == (number,)


def test_many_idle_connections(cluster: Cluster) -> None:
    connections = [Connection(cluster.bootstrap) for _ in range(200)]
    try:
        # Half of them have begun a request that never ends.
        for connection in connections[::2]:
            connection.send(struct.pack(">i", 1000) + b"\0\x12")
        with Connection(cluster.bootstrap) as another:
            assert answers(another)
        assert answers(connections[1])
    finally:
        for connection in connections:
            connection.close()


def test_readers_that_do_not_read(cluster: Cluster, topic: Topic) -> None:
    # Asks for answers, much more than a socket's buffers hold, and never takes them.
    client = ConfluentClient(cluster.bootstrap)
    deaf = [Connection(cluster.bootstrap, seconds=1.0) for _ in range(5)]
    try:
        for connection in deaf:
            try:
                for _ in range(200):
                    connection.socket.sendall(request(METADATA, 1, body=struct.pack(">i", -1)) * 20)
            except (TimeoutError, ConnectionError):
                # The broker takes no more from one that takes nothing: as it should be.
                pass
        admin = client.admin()
        eventually(lambda: topic.name in admin.topics(), "others are answered")
    finally:
        for connection in deaf:
            connection.close()
        client.close()
