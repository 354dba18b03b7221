"""The command `counterpart`: what an operator does from a shell. Each command is a few lines over a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from app.cli import audit, broker, demo, keys, law, nodes, notify, outbox, people, quarantine, recovery, roster
from app.cli.frame import run_command

if TYPE_CHECKING:
    from collections.abc import Sequence

cli = typer.Typer(
    name="counterpart",
    help="Runs a state's 24/7 point of contact for cybercrime.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for name, command in nodes.COMMANDS.items():
    cli.command(name)(command)
cli.command("demo")(demo.demo)
cli.add_typer(keys.keys, name="keys")
cli.add_typer(keys.directory, name="directory")
cli.add_typer(broker.broker, name="broker")
cli.add_typer(law.law, name="law")
cli.add_typer(people.agencies, name="agencies")
cli.add_typer(people.people, name="people")
cli.add_typer(people.tokens, name="tokens")
cli.add_typer(audit.audit, name="audit")
cli.add_typer(outbox.outbox, name="outbox")
cli.add_typer(quarantine.quarantine, name="quarantine")
cli.add_typer(recovery.recovery, name="recovery")
cli.add_typer(notify.notify, name="notify")
cli.add_typer(roster.roster, name="roster")
cli.add_typer(demo.rehearsal, name="rehearsal")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command of the shell, or the given one; an error we know is one sentence and exit code 2."""
    run_command(cli, arguments)
