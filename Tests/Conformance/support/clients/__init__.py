"""The three Python clients behind one face, so that a test is written once and run by each."""

from __future__ import annotations

from .aio import AioClient
from .base import Client
from .confluent import ConfluentClient
from .python import PythonClient

CLIENTS: dict[str, type[Client]] = {client.name: client for client in (ConfluentClient, PythonClient, AioClient)}
