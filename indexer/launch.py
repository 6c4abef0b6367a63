"""What a local node is started with: its settings, its logging, its command line. Pure but for `write`."""

from dataclasses import dataclass
from pathlib import Path

from indexer.runtime import VECTOR_MODULE, Java

CLUSTER_NAME = "smartwms-audit-local"
LOG_LINES_SHOWN = 15
FIRST_WITH_COMPACT_HEADERS = 25


@dataclass(frozen=True)
class Folders:
    """The rooms of a node's data folder; all but the record belong to the account that the node runs as."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def own(self) -> tuple[Path, ...]:
        """What the node itself writes to; OpenSearch keeps its keystore beside its settings."""
        return (self.config, self.data, self.logs, self.temporary, self.snapshots)

    @property
    def snapshots(self) -> Path:
        """Where snapshots may be kept (`path.repo`); to be copied to another disk, or from one."""
        return self.root / "snapshots"

    @property
    def record(self) -> Path:
        return self.root / "node.json"

    @property
    def lock(self) -> Path:
        return self.root / "node.lock"

    @property
    def log(self) -> Path:
        """Where OpenSearch itself tells people to look."""
        return self.logs / f"{CLUSTER_NAME}.log"

    @property
    def console(self) -> Path:
        return self.logs / "console.log"

    @property
    def http_ports(self) -> Path:
        """Written by the node once it listens: one `address:port` a line."""
        return self.logs / "http.ports"

    def is_node(self) -> bool:
        """Whether a node has been started here before."""
        return (self.config / "opensearch.yml").is_file()


def settings(folders: Folders, port: int) -> str:
    """Return opensearch.yml. Paths are quoted as YAML (JSON strings are YAML), so that spaces do no harm."""
    return f"""\
cluster.name: {CLUSTER_NAME}
node.name: local
path.data: {_quoted(folders.data)}
path.logs: {_quoted(folders.logs)}
path.repo: {_quoted(folders.snapshots)}

# Nobody but this machine, and no second node.
network.host: 127.0.0.1
http.port: {port}
transport.port: 0
discovery.type: single-node
node.portsfile: true

# A partition is created with its mapping or not at all: a write to a missing one must not make a
# dynamic, editable index. And nothing is deleted by a pattern.
action.auto_create_index: false
action.destructive_requires_name: true

# What is left on the disk, not a share of it: 85 % of a large disk is no shortage.
cluster.routing.allocation.disk.watermark.low: 2gb
cluster.routing.allocation.disk.watermark.high: 1gb
cluster.routing.allocation.disk.watermark.flood_stage: 500mb

# There is no second node that could hold a copy.
cluster.default_number_of_replicas: 0

# A year of daily partitions of several classes, and the tests' own beside them.
cluster.max_shards_per_node: 4000
"""


LOGGING = """\
status = error
appender.node.type = RollingFile
appender.node.name = node
property.name = ${sys:opensearch.logs.base_path}${sys:file.separator}${sys:opensearch.logs.cluster_name}
appender.node.fileName = ${name}.log
appender.node.filePattern = ${name}-%i.log
appender.node.layout.type = PatternLayout
appender.node.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %marker%m%n
appender.node.policies.type = Policies
appender.node.policies.size.type = SizeBasedTriggeringPolicy
appender.node.policies.size.size = 20MB
appender.node.strategy.type = DefaultRolloverStrategy
appender.node.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.node.ref = node
"""


def java_arguments(java: Java, heap: str, home: Path, folders: Folders) -> list[str]:
    """Return the command that starts OpenSearch: what bin/opensearch makes of the shipped jvm.options.

    Without that script, which starts four more runtimes to work this out, and without touching the whole
    heap at the start (AlwaysPreTouch): a local node is to be up soon and to stay small.
    """
    vector = [f"--add-modules={VECTOR_MODULE}"] if java.has_vector else []
    compact = ["-XX:+UseCompactObjectHeaders"] if java.version >= FIRST_WITH_COMPACT_HEADERS else []
    return [
        str(java.executable),
        f"-Xms{heap}",
        f"-Xmx{heap}",
        "-Xss1m",
        "-XX:+UseG1GC",
        "-XX:G1ReservePercent=25",
        "-XX:InitiatingHeapOccupancyPercent=30",
        *compact,
        f"-XX:MaxDirectMemorySize={heap_bytes(heap) // 2}",
        "-XX:-OmitStackTraceInFastThrow",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={folders.logs / 'hs_err_pid%p.log'}",
        *vector,
        # OpenSearch's own sandbox; it does not start without.
        f"-javaagent:{home / 'agent' / 'opensearch-agent.jar'}",
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1",
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        "-Djava.locale.providers=SPI,CLDR",
        f"-Djava.io.tmpdir={folders.temporary}",
        "-Djna.nosys=true",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dio.netty.allocator.numDirectArenas=0",
        "-Dlog4j.shutdownHookEnabled=false",
        "-Dlog4j2.disable.jmx=true",
        "-Dopensearch.networkaddress.cache.ttl=60",
        "-Dopensearch.networkaddress.cache.negative.ttl=10",
        f"-Dopensearch.path.home={home}",
        f"-Dopensearch.path.conf={folders.config}",
        "-Dopensearch.distribution.type=zip",
        "-Dopensearch.bundled_jdk=false",
        "-cp",
        str(home / "lib" / "*"),
        "org.opensearch.bootstrap.OpenSearch",
    ]


def heap_bytes(heap: str) -> int:
    """`512m` or `2g` in bytes; anything else is a ValueError."""
    digits, unit = heap[:-1], heap[-1:].lower()
    if not digits.isascii() or not digits.isdigit() or unit not in {"m", "g"}:
        raise ValueError(heap)
    return int(digits) << (20 if unit == "m" else 30)


def own_words(folders: Folders) -> str:
    """Return the last lines of what the node and its runtime said, without the frames of stack traces."""
    said = []
    for place in (folders.log, folders.console):
        lines = place.read_bytes().split(b"\n") if place.is_file() else []
        telling = [
            line for line in lines if line.strip() and not line.startswith((b"\tat ", b"\t... ", b"WARNING:"))
        ]
        if telling:
            text = b"\n".join(telling[-LOG_LINES_SHOWN:]).decode(errors="replace")
            said.append(f"the last lines of {place}:\n{text}")
    return "\n".join(said)


def write(folders: Folders, port: int) -> None:
    """Make the folders, write settings and logging anew, and forget the logs of the run before."""
    for folder in folders.own:
        folder.mkdir(parents=True, exist_ok=True)
    (folders.config / "opensearch.yml").write_text(settings(folders, port), encoding="utf-8")
    (folders.config / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    for place in (folders.log, folders.console, folders.http_ports):
        place.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
