"""Kafka's protocol by hand, as far as hostile clients need it: frames, and the header of a request."""

from __future__ import annotations

import socket
import ssl
import struct
from types import TracebackType

API_VERSIONS = 18
METADATA = 3
DESCRIBE_GROUPS = 15
SASL_HANDSHAKE = 17
SASL_AUTHENTICATE = 36


def request(api: int, version: int, body: bytes = b"", correlation: int = 1, client: str = "hostile") -> bytes:
    """A request with header version 1 (no tagged fields), behind its length."""
    name = client.encode()
    message = struct.pack(">hhih", api, version, correlation, len(name)) + name + body
    return struct.pack(">i", len(message)) + message


class Connection:
    """A socket to the first bootstrap address. Every wait has a deadline."""

    def __init__(self, bootstrap: str, seconds: float = 10.0, tls: ssl.SSLContext | None = None) -> None:
        host, port = bootstrap.split(",")[0].rsplit(":", 1)
        host = host.split("://")[-1]
        self.socket = socket.create_connection((host, int(port)), timeout=seconds)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            # Already closed by the broker, which is one of the right answers.
            pass

    def receive(self) -> bytes | None:
        """One response without its length, or None when the broker has closed the connection."""
        length = self._exactly(4)
        return None if length is None else self._exactly(struct.unpack(">i", length)[0])

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError:
                return None
            if not part:
                return None
            data += part
        return data

    @property
    def is_closed(self) -> bool:
        """Waits until the broker closes, however much it says before; False if it doesn't in time."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
