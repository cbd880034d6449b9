"""`kstream broker` as a process: the one place that knows its command line."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
READY_WITHIN = 20.0


def binary() -> Path:
    """The program under test: KSTREAM_BINARY, or else the release build of this repository."""
    given = os.environ.get("KSTREAM_BINARY")
    return Path(given) if given else REPOSITORY / ".build" / "release" / "kstream"


class NotStarted(Exception):
    """The broker ended, or said nothing, before it was ready."""

    def __init__(self, status: int | None, errors: str) -> None:
        super().__init__(f"kstream broker was not ready (exit status {status}): {errors.strip() or 'it said nothing'}")
        self.status = status
        self.errors = errors


@dataclass
class Broker:
    """A broker process. `start` returns when it takes connections; it can be killed and started again."""

    port: int | None = None
    nodes: int = 1
    data: Path | None = None
    user: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    bootstrap: str = field(default="", init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)

    def command(self) -> list[str]:
        command = [str(binary()), "broker", "--port", str(self.port or 0), "--nodes", str(self.nodes)]
        if self.data is not None:
            command += ["--data", str(self.data)]
        if self.user is not None:
            command += ["--user", self.user]
        if self.certificate is not None and self.key is not None:
            command += ["--tls-certificate", str(self.certificate), "--tls-key", str(self.key)]
        return command

    def start(self) -> str:
        process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._process = process
        self._errors: list[str] = []
        lines: queue.Queue[str] = queue.Queue()

        def read_output() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)
            lines.put("")

        def read_errors() -> None:
            assert process.stderr is not None
            self._errors.extend(process.stderr)

        threading.Thread(target=read_output, daemon=True).start()
        reader = threading.Thread(target=read_errors, daemon=True)
        reader.start()
        try:
            line = lines.get(timeout=READY_WITHIN).strip()
        except queue.Empty:
            line = ""
        if not line:
            process.kill()
            status = process.wait()
            reader.join(2)
            raise NotStarted(status, self.errors)
        self.bootstrap = line
        # Started again, it must be found where its clients knew it.
        if self.port is None and self.nodes == 1:
            self.port = int(line.rsplit(":", 1)[1])
        return line

    @property
    def errors(self) -> str:
        return "".join(self._errors)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9: nothing is flushed, nobody is told."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM, and the exit status with which it ended."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise AssertionError(f"kstream broker did not end within {seconds:g} s of SIGTERM") from None
        return self._process.returncode
