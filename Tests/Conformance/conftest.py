"""The cluster, the clients and the names that the suites use, and the summary of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.broker import Broker, NotStarted, binary
from support.clients import CLIENTS
from support.clients.base import Client
from support.cluster import Cluster, Topic, unique
from support.tls import Certificates, make_certificates

OUTSIDE = os.environ.get("KSTREAM_BOOTSTRAP_SERVERS")
NODES = int(os.environ.get("KSTREAM_CONFORMANCE_NODES", "1"))


# MARK: what is run against what


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One cluster for all tests: each has its own topics and groups."""
    if OUTSIDE:
        yield Cluster(OUTSIDE, embedded=False)
        return
    broker = Broker(nodes=NODES)
    bootstrap = broker.start()
    try:
        yield Cluster(bootstrap, embedded=True)
        assert broker.running, f"the broker ended during the tests: {broker.errors}"
    finally:
        status = broker.stop()
    assert status == 0, f"the broker ended with status {status}: {broker.errors}"


@pytest.fixture
def data_cluster(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own, with a data directory, that the test may kill and start again."""
    if OUTSIDE:
        pytest.skip("a broker given by KSTREAM_BOOTSTRAP_SERVERS is not ours to kill")
    broker = Broker(data=tmp_path / "data")
    broker.start()
    yield broker
    broker.stop()


@dataclass(frozen=True)
class SecureCluster:
    bootstrap: str
    certificates: Certificates
    user: str
    password: str


@pytest.fixture(scope="session")
def secure_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCluster]:
    """A broker that wants TLS and a user's name with a password."""
    if OUTSIDE:
        pytest.skip("the users and certificates of a broker given by KSTREAM_BOOTSTRAP_SERVERS are not known")
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    user, password = "alice", "correct horse, battery=staple"
    broker = Broker(nodes=NODES, user=f"{user}:{password}", certificate=certificates.certificate, key=certificates.key)
    try:
        bootstrap = broker.start()
    except NotStarted as failure:
        # 64 is what a command line that was not understood gives by sysexits, 2 by kstream's own list.
        if failure.status in (2, 64):
            pytest.skip(f"kstream broker has no options for users and TLS yet: {failure.errors.strip()[:200]}")
        raise
    yield SecureCluster(bootstrap, certificates, user, password)
    broker.stop()


# MARK: what a test uses


@pytest.fixture(params=list(CLIENTS))
def client_type(request: pytest.FixtureRequest) -> type[Client]:
    return CLIENTS[request.param]


@pytest.fixture
def client(client_type: type[Client], cluster: Cluster) -> Iterator[Client]:
    """Each of the clients in turn; what a test makes with it is closed afterwards."""
    made = client_type(cluster.bootstrap)
    yield made
    made.close()


@pytest.fixture
def topic(cluster: Cluster) -> Topic:
    """A topic of one partition."""
    return cluster.topic()


@pytest.fixture
def group() -> str:
    return unique("group")


@pytest.fixture
def transactional_id() -> str:
    return unique("transaction")


@pytest.fixture
def kcat() -> Callable[..., str]:
    """Runs kcat and returns its standard output; fails with its standard error."""
    program = shutil.which("kcat")
    if program is None:
        pytest.skip("kcat is not installed")

    def run(*arguments: str, stdin: str | bytes = "", seconds: float = 30.0) -> str:
        text = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run([program, *arguments], input=text, capture_output=True, timeout=seconds, check=False)
        assert done.returncode == 0, f"kcat {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode()

    return run


# MARK: what is said of a run


def kcat_version() -> str:
    program = shutil.which("kcat")
    if program is None:
        return "not installed"
    lines = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stdout.splitlines()
    return next((line.removeprefix("Version ").split(" builtin")[0] for line in lines if "Version" in line), "unknown")


def pytest_report_header() -> list[str]:
    versions = [f"{name} {client.version()}" for name, client in CLIENTS.items()] + [f"kcat {kcat_version()}"]
    return [f"broker: {OUTSIDE or f'{binary()}, nodes: {NODES}'}", "clients: " + ", ".join(versions)]


def pytest_configure() -> None:
    if not OUTSIDE and not binary().is_file():
        raise pytest.UsageError(
            f"there is no {binary()}: build it (swift build -c release --product kstream), name another by "
            "KSTREAM_BINARY, or give a running broker by KSTREAM_BOOTSTRAP_SERVERS"
        )


def client_of(report: pytest.TestReport) -> str:
    parameters = report.nodeid.partition("[")[2].rstrip("]")
    # The longest name first: kafka-python is not a part of confluent-kafka's, but aiokafka could be of another's.
    for name in sorted(CLIENTS, key=len, reverse=True):
        if name in parameters:
            return name
    return "kcat" if "test_kcat" in report.nodeid else "raw sockets" if "test_hostile" in report.nodeid else "several"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if isinstance(report, pytest.TestReport):
                counts.setdefault(client_of(report), Counter())[outcome] += 1
    terminalreporter.section("by client")
    for name in sorted(counts):
        parts = ", ".join(f"{count} {outcome}" for outcome, count in counts[name].items())
        terminalreporter.line(f"{name:16} {parts}")
    properties = [
        (name, value)
        for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
        for name, value in report.user_properties
    ]
    if properties:
        terminalreporter.section("messages that were validated")
        for name, value in properties:
            terminalreporter.line(f"{name:50} {value}")
