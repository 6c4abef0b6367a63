"""The shippers that are compared, each in the settings in which it loses least.

All read the same lines. Ours makes audit events of them; the others send them as they are, under an id that
is a hash of the line, with `create`, into an index that indexes only the number: less work for OpenSearch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson

from bench import workbench
from bench.debian import Unpacked
from bench.workbench import Process
from indexer.client import Client

GLOB: Final = "app.clef*"
LOG: Final = "app.clef"
RSYSLOG: Final = """\
global(workDirectory="{home}/state" maxMessageSize="2m")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
module(load="fmhash")
template(name="line" type="string" string="%msg%")
template(name="id" type="string" string="%$!id%")
ruleset(name="ship" queue.type="Disk" queue.filename="ship" queue.maxDiskSpace="20g" queue.saveOnShutdown="on"
        queue.checkpointInterval="100" queue.dequeueBatchSize="2500" queue.timeoutShutdown="10000") {{
  set $!id = hash64($msg);
  action(type="omelasticsearch" server="{host}" serverport="{port}" template="line" searchIndex="{index}"
         searchType="" bulkmode="on" bulkid="id" dynBulkId="on" writeoperation="create" retryFailures="off"
         action.resumeRetryCount="-1" action.resumeInterval="1" errorFile="{home}/state/errors.json")
}}
input(type="imfile" File="{home}/{glob}" Tag="app" ruleset="ship" reopenOnTruncate="on"
      persistStateInterval="100")
"""
SYSLOG_NG: Final = """\
@version: 3.38
options {{ use-dns(no); keep-hostname(yes); stats-freq(0); log-msg-size(2097152); }};
source s {{
  wildcard-file(base-dir("{home}") filename-pattern("{glob}") flags(no-parse) follow-freq(0.2));
}};
destination d {{
  http(url("{url}/_bulk") method("POST") headers("Content-Type: application/x-ndjson")
    body("{{\\"create\\":{{\\"_index\\":\\"{index}\\",\\"_id\\":\\"$(sha1 ${{MSG}})\\"}}}}\\n${{MSG}}")
    delimiter("\\n") body-suffix("\\n") workers(2) batch-lines(2500) batch-bytes(4194304) batch-timeout(500)
    timeout(60) retries(1000000) persist-name("d")
    disk-buffer(reliable(yes) disk-buf-size(8589934592) mem-buf-size(67108864) dir("{home}/state")));
}};
log {{ source(s); destination(d); flags(flow-control); }};
"""


class Shipper(Protocol):
    """A way from a file to the store. `home` holds the log, and whatever the shipper writes."""

    name: str
    index: str
    follows: bool

    def start(self, home: Path, url: str) -> Process:
        """Start it, or start it again where it was killed."""
        ...

    def numbers(self, client: Client) -> Iterator[object]:
        """The number of each line in the store."""
        ...


class _Plain:
    """A shipper of other people's, whose documents are the lines."""

    name = ""
    index = ""
    follows = True

    def numbers(self, client: Client) -> Iterator[object]:
        for document in workbench.documents(client, self.index, ["Number"]):
            yield document["Number"]


class Ours:
    """audit-agent, with its settings as they come."""

    name = "smartwms-audit"
    index = "ours-audit*"
    follows = True

    def start(self, home: Path, url: str) -> Process:
        config = home / "agent.toml"
        if not config.exists():
            workbench.configured(home, GLOB)
        return workbench.agent(config, url, "ours")

    def numbers(self, client: Client) -> Iterator[object]:
        for document in workbench.documents(client, "ours-audit", ["event.original"]):
            yield orjson.loads(document["event"]["original"]).get("Number")


class ParallelBulk(_Plain):
    """opensearch-py's helper in a program of forty lines: no positions, so a restart begins again."""

    name = "parallel_bulk"
    index = "peer-parallel-bulk"
    follows = False

    def start(self, home: Path, url: str) -> Process:
        command = [sys.executable, "-m", "bench.peer_parallel_bulk", url, self.index, str(home / LOG)]
        return Process(command, home / "shipper.log", environment={})


class Rsyslog(_Plain):
    """imfile, a disk queue, omelasticsearch. The queue is not fsynced: that would take it thrice as long."""

    name = "rsyslog"
    index = "peer-rsyslog"

    def __init__(self, debian: Unpacked) -> None:
        self._debian = debian

    def start(self, home: Path, url: str) -> Process:
        address = urlsplit(url)
        config = home / "rsyslog.conf"
        config.write_text(
            RSYSLOG.format(home=home, host=address.hostname, port=address.port, index=self.index, glob=GLOB),
            encoding="utf-8",
        )
        (home / "state").mkdir(exist_ok=True)
        (home / "rsyslog.pid").unlink(missing_ok=True)
        command: list[str | Path] = [self._debian.program("rsyslogd"), "-n", "-f", config]
        command += ["-i", home / "rsyslog.pid", "-M", self._debian.folder_of("imfile.so")]
        return Process(command, home / "shipper.log", environment=self._debian.environment)


class SyslogNg(_Plain):
    """wildcard-file with flow control, a reliable disk buffer, http()."""

    name = "syslog-ng"
    index = "peer-syslog-ng"

    def __init__(self, debian: Unpacked) -> None:
        self._debian = debian

    def start(self, home: Path, url: str) -> Process:
        config = home / "syslog-ng.conf"
        text = SYSLOG_NG.format(home=home, url=url, index=self.index, glob=GLOB)
        config.write_text(text, encoding="utf-8")
        (home / "state").mkdir(exist_ok=True)
        command: list[str | Path] = [self._debian.program("syslog-ng"), "-F", "-f", config, "--no-caps"]
        command += ["-p", home / "syslog-ng.pid", "-c", home / "syslog-ng.ctl", "-R", home / "persist"]
        command.append(f"--module-path={self._debian.folder_of('libhttp.so')}")
        return Process(command, home / "shipper.log", environment=self._debian.environment)


def prepare(client: Client, shipper: Shipper) -> None:
    """The index of other people's: one shard, no replica, a second of refresh, only the number indexed."""
    body: Any = {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "1s"},
        "mappings": {"dynamic": False, "properties": {"Number": {"type": "long"}}},
    }
    if not isinstance(shipper, Ours):
        client.request("PUT", f"/{shipper.index}", body=body)
