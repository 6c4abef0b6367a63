"""Serves the app with waitress."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask
from waitress.server import create_server

from indexer.errors import SettingsError


def serve(app: Flask, *, host: str, port: int, threads: int, ready: Callable[[], None]) -> None:
    """Serve until interrupted; `ready` is called once the address is had, SettingsError when it is not."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        server = create_server(app, host=host, port=port, threads=threads, ident=None)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what does, or use another --port"
        ) from error
    ready()
    server.run()
