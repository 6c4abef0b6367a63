"""`audit-webui exports ...`: an export against its manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from webui.exports import manifest
from webui.exports.manifest import ManifestError


class _UnreadableError(click.ClickException):
    exit_code = 2


def group(installation_key: Callable[[], bytes | None]) -> click.Group:
    """Give the commands; `installation_key`: the secret that seals manifests, None where it is not."""

    @click.group()
    def exports() -> None:
        """Files that people exported."""

    @exports.command()
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option(
        "--manifest",
        "manifest_file",
        type=click.Path(path_type=Path),
        help="The manifest; by default FILE with .manifest.json behind its name.",
    )
    @click.pass_context
    def verify(context: click.Context, file: Path, manifest_file: Path | None) -> None:
        """Compare an export with its manifest. Exit codes: 0 as it says, 1 not as it says, 2 unreadable."""
        key = installation_key()
        try:
            said = manifest.read(manifest_file or manifest.beside(file))
            found = manifest.findings(file, said, key)
        except ManifestError as error:
            raise _UnreadableError(str(error)) from error
        except OSError as error:
            raise _UnreadableError(f"{file} cannot be read: {error.strerror}") from error
        for finding in found:
            click.echo(f"{file}: {finding}")
        if found:
            context.exit(1)
        click.echo(f"{file}: {said['row_count']:,} rows, complete, SHA-256 {said['sha256']}")
        click.echo(f"{said['sentence']} Asked for by {said['requested_by']} at {said['requested_at']}.")
        if key is None:
            click.echo("The seal was not checked: this installation's secret is not on this machine.")

    return exports
