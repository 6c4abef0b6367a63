"""An app behind the server that the product itself uses, on loopback."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server


@contextlib.contextmanager
def on_loopback(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve the app on this port, any free one if 0: its address."""
    # Its stubs know a part of it.
    server: Any = create_server(app, host="127.0.0.1", port=port, threads=8, ident=None)

    def close() -> None:
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(server._map)

    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        # Sockets belong to the thread that waits for them.
        server.trigger.pull_trigger(close)
        thread.join(timeout=10)
