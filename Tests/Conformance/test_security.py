"""Users and TLS: who is let in, and who is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from support.clients.base import Client, Partition, Security
from support.cluster import unique
from support.errors import KafkaFailure

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
