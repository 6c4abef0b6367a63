"""The command `audit-webui`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Event
from typing import Final

import click

from indexer.client import connect
from indexer.errors import IndexerError
from indexer.settings import StoreSettings, load
from webui import jobs
from webui.accounts import commands
from webui.accounts.account import AccountError, checked_tenant
from webui.accounts.service import Accounts
from webui.alerts import assembly as alerts
from webui.alerts import commands as alert_commands
from webui.api import assembly as keys
from webui.api import commands as key_commands
from webui.app import create_app, make_accounts, may_report, reviews_neighbours
from webui.exports import assembly as exports
from webui.exports import commands as export_commands
from webui.notification import assembly as notification
from webui.reports import assembly as reports
from webui.reviews import assembly as reviews
from webui.settings import WebSettings, secret_key
from webui.wsgi import serve

DEFAULT_PORT: Final = 8080


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """The web UI of SmartWMS Audit. Exit codes: 0 done, 2 settings or arguments, 3 store not reachable."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535))
def run(host: str, port: int) -> None:
    """Serve the UI until interrupted."""
    settings, store = load(WebSettings), load(StoreSettings)
    client = connect(store)
    app = create_app(settings, client, store.index_prefix, secret_key(settings.secret_key_file))
    # Made now rather than by the first visitor; a store that is away is said before a port is opened.
    make_accounts(settings, client, store.index_prefix).prepare()
    serve(
        app,
        host=host,
        port=port,
        threads=settings.threads,
        ready=lambda: click.echo(f"SmartWMS Audit on http://{host}:{port}", err=True),
    )


def _accounts() -> Accounts:
    store = load(StoreSettings)
    return make_accounts(load(WebSettings), connect(store), store.index_prefix)


def _chores(stopping: Event) -> Sequence[jobs.Chore]:
    return [
        *exports.chores(stopping, {**reports.own_makers(), **reviews.own_makers()}),
        *reports.chores(exports.make_standing, may_report),
        *notification.chores(stopping, alerts.alarm()),
        *alerts.chores(),
        *reviews.chores(reviews_neighbours),
    ]


cli.add_command(commands.group(_accounts))
cli.add_command(export_commands.group(exports.installation_key))
cli.add_command(key_commands.group(lambda: keys.cabinet(checked_tenant)))
cli.add_command(jobs.group(_chores))
cli.add_command(alert_commands.group(alerts.evaluator, alerts.work_off))


def main() -> None:
    """Run the command; errors become one sentence and an exit code."""
    try:
        cli()
    except IndexerError as error:
        click.echo(f"audit-webui: {error}", err=True)
        sys.exit(error.exit_code)
    except AccountError as error:
        click.echo(f"audit-webui: {error}", err=True)
        sys.exit(2)
