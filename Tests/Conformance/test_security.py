"""Users and TLS: who is let in, and who is not."""

from __future__ import annotations

import ssl
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from support.clients.base import Client, Partition, Security
from support.cluster import unique
from support.errors import Code, KafkaFailure
from support.wire import METADATA, SASL_AUTHENTICATE, SASL_HANDSHAKE, Connection, request

if TYPE_CHECKING:
    from conftest import SecureCluster

MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Connect = Callable[..., Client]


@pytest.fixture
def connect(client_type: type[Client], secure_cluster: SecureCluster) -> Iterator[Connect]:
    """Makes a client with the right user, password and authority, save where it is told otherwise."""
    made: list[Client] = []

    def make(mechanism: str | None, user: str | None = None, password: str | None = None, tls: bool = True) -> Client:
        security = Security(
            tls_authority=str(secure_cluster.certificates.authority) if tls else None,
            mechanism=mechanism,
            user=user or secure_cluster.user,
            password=password or secure_cluster.password,
        )
        made.append(client_type(secure_cluster.bootstrap, security))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_user_is_let_in(connect: Connect, mechanism: str) -> None:
    client, name = connect(mechanism), unique("topic")
    client.admin().create_topic(name)
    client.producer().deliver_all(name, [b"a", b"b"], partition=0)
    assert [record.value for record in client.reader(Partition(name, 0)).read(2)] == [b"a", b"b"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("wrong", ["user", "password"])
def test_a_stranger_is_not_let_in(connect: Connect, mechanism: str, wrong: str) -> None:
    client = connect(mechanism, **{wrong: "wrong"})
    with pytest.raises(KafkaFailure):
        client.producer(delivery_timeout=3.0).deliver(unique("topic"), b"value")


@pytest.mark.parametrize("mechanism", [None, "PLAIN"])
def test_no_way_in_without_tls_or_without_a_name(connect: Connect, mechanism: str | None) -> None:
    client = connect(mechanism, tls=mechanism is None)
    with pytest.raises(KafkaFailure):
        client.producer(delivery_timeout=3.0).deliver(unique("topic"), b"value")


@pytest.fixture
def connection(secure_cluster: SecureCluster) -> Iterator[Connection]:
    context = ssl.create_default_context(cafile=str(secure_cluster.certificates.authority))
    with Connection(secure_cluster.bootstrap, tls=context) as connection:
        yield connection


def agree_on_plain(connection: Connection, version: int) -> None:
    connection.send(request(SASL_HANDSHAKE, version, struct.pack(">h", 5) + b"PLAIN"))
    response = connection.receive()
    assert response is not None and struct.unpack(">ih", response[:6]) == (1, Code.NONE)


def test_a_stranger_is_told_why(connection: Connection) -> None:
    # The libraries hide it behind errors of their own, save in their logs.
    agree_on_plain(connection, version=1)
    token = b"\0alice\0wrong"
    connection.send(request(SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token))
    response = connection.receive()
    assert response is not None and struct.unpack(">ih", response[:6]) == (1, Code.SASL_AUTHENTICATION_FAILED)
    assert connection.is_closed


@pytest.mark.parametrize("is_right", [True, False])
def test_tokens_without_requests_around_them(
    connection: Connection, secure_cluster: SecureCluster, is_right: bool
) -> None:
    # What follows version 0 of the handshake, from kafka-python 2 and aiokafka 0.11 for example.
    agree_on_plain(connection, version=0)
    password = secure_cluster.password if is_right else "wrong"
    token = b"\0" + secure_cluster.user.encode() + b"\0" + password.encode()
    connection.send(struct.pack(">i", len(token)) + token)
    if is_right:
        assert connection.receive() == b""
        connection.send(request(METADATA, 1, struct.pack(">i", 0)))
        assert connection.receive() is not None
    else:
        assert connection.is_closed
