"""Serves the app with waitress."""

from __future__ import annotations

import logging

from flask import Flask
from waitress.server import create_server

from indexer.errors import SettingsError


def serve(app: Flask, *, host: str, port: int, threads: int) -> None:
    """Serve until interrupted; SettingsError when the address cannot be had."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        server = create_server(app, host=host, port=port, threads=threads, ident=None)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what does, or use another --port"
        ) from error
    server.run()
