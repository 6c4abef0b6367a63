"""One OpenSearch node for a whole test run, however many xdist workers share it.

The first worker that needs it starts it; the process that began the run stops it and removes its folder.
`AUDIT_TEST_STORE_URL` names a node that runs already: nothing is started or stopped then.
"""

import os
import shutil
import tempfile
from pathlib import Path

import filelock
import psutil

from indexer import node
from indexer.node_errors import NodeNotRunningError

URL_VARIABLE = "AUDIT_TEST_STORE_URL"
FOLDER_VARIABLE = "AUDIT_TEST_RUN_DIR"
# Not pytest's tmp_path: that is closed to the account which a node of root runs as.
PARENT = Path("/var/tmp" if os.name == "posix" else tempfile.gettempdir())  # noqa: S108
NAME = "smartwms-audit-test-"
HEAP = "1g"


def begin_run() -> None:
    """Name the run's folder, for the workers to inherit, and clear up after runs that were killed."""
    for folder in PARENT.glob(f"{NAME}*"):
        owner = folder.name.removeprefix(NAME).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            remove(folder)
    os.environ[FOLDER_VARIABLE] = str(open_folder())


def end_run() -> None:
    """Stop the run's node, if one was started, and remove everything it left."""
    remove(Path(os.environ.pop(FOLDER_VARIABLE)))


def url() -> str:
    """Return the address of the run's node, starting it if this is the first call of any worker."""
    if given := os.environ.get(URL_VARIABLE):
        return given
    folder = Path(os.environ[FOLDER_VARIABLE])
    with filelock.FileLock(folder / "shared.lock"):
        try:
            return node.status(folder / "node").url
        except NodeNotRunningError:
            return node.start(folder / "node", port=0, heap=HEAP).url


def open_folder() -> Path:
    """Make a folder that the node's account may enter; its name says which process it belongs to."""
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}{os.getpid()}-", dir=PARENT))
    folder.chmod(0o755)
    return folder


def remove(folder: Path) -> None:
    """Stop the nodes in `folder` and in the folders directly below it, then delete it."""
    for record in (*folder.glob("node.json"), *folder.glob("*/node.json")):
        node.stop(record.parent)
    shutil.rmtree(folder)
