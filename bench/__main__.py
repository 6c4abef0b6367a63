"""Every number that the documents quote, one benchmark after the other: `python -m bench [--quick]`."""

from __future__ import annotations

import subprocess
import sys
import time

import click

# Each with its full size, and with one that shows that it works.
RUNS: dict[str, tuple[str, str]] = {
    "normalise": ("", "--rounds 3"),
    "ship": ("", "--records 60000 --rounds 1"),
    "peers": ("", "--records 20000 --fault-records 20000"),
    "latency": ("", "--secs 20"),
    "idle": ("", "--secs 20"),
    "catchup": ("", "--backlog 40000 --down 10"),
    "seals": ("", "--records 20000 --rounds 2 --verify 20000"),
    "retention": ("", "--events 20000"),
    "exports": ("", "--events 20000"),
    "pages": ("", "--events 20000 --rounds 1"),
    "monitors": ("", "--events 20000"),
    "soak": ("--minutes 30 --kills 200", "--minutes 2 --kills 10 --outages 1"),
}


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: that they work, not what they measure.")
@click.option("--only", multiple=True, type=click.Choice(list(RUNS)), help="These, not all.")
@click.pass_context
def main(ctx: click.Context, *, quick: bool, only: tuple[str, ...]) -> None:
    """Run the benchmarks; each prints its own table. Exits 1 if one failed, or found a line lost or twice."""
    rows = []
    for name in only or RUNS:
        arguments = RUNS[name][quick].split()
        click.echo(f"\n$ python -m bench.{name} {' '.join(arguments)}".rstrip())
        began = time.monotonic()
        code = subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], check=False).returncode
        rows.append((name, "done" if code == 0 else f"exit {code}", time.monotonic() - began))
    click.echo()
    for name, how, secs in rows:
        click.echo(f"{name:12} {how:8} {secs:8.0f} s")
    ctx.exit(int(any(how != "done" for _, how, _ in rows)))


if __name__ == "__main__":
    main()
