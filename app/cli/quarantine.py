"""Commands on what is kept aside: see it with its reason, and decide on it, alone or in pairs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.frame import AsJson, Config, at_node, say, show
from app.cli.officer import TokenFile, acting_officer
from app.db import decisions
from app.db import quarantine as kept_aside
from app.db.engine import reading
from app.db.tables_delivery import QuarantineState
from app.db.tables_evidence import QuarantineAct
from app.errors import Unknown
from app.services.advise_on_quarantine import advise_on_quarantine
from app.services.decide_quarantined import PROPOSAL_STANDS, Decided, Wish, decide_quarantined
from app.services.effects import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.db.decisions import Decision
    from app.db.quarantine import Kept
    from app.domain.directory import Directory

quarantine = typer.Typer(help="What could not be trusted or understood.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number in `quarantine list`.")]
Reasons = Annotated[str, typer.Option("--reasons", help="Why; kept with the decision and on record.")]

SAID: Mapping[QuarantineAct, str] = {
    QuarantineAct.RETRY: "It takes its turn again within seconds",
    QuarantineAct.REJECT: "It ends without effect; its sender is told, and its exchange goes on within seconds",
    QuarantineAct.VOID: "It ends as if it had never been said; its exchange goes on within seconds",
    QuarantineAct.DISCARD: "Nobody waits for it any more; it stays as evidence",
    QuarantineAct.ADMIT: "It is taken as genuine, and has its turn within seconds",
}
ADVICE = ("meaning", "next_act")


@quarantine.command("list")
def list_open(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the oldest first.")] = 200,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List what waits, why, and who does what about it."""

    async def run() -> Sequence[Mapping[str, Any]]:
        async with at_node(config) as at, reading(at.engine) as session:
            return [_row(one, at.node.directory) for one in await kept_aside.pages(session, limit=limit)]

    rows = asyncio.run(run())
    if as_json:
        show(rows, as_json=True)
        return
    if not rows:
        say("Nothing is in quarantine.")
        return
    show([{name: value for name, value in row.items() if name not in ADVICE} for row in rows], as_json=False)
    say("")
    for row in rows:
        say(f"{row['id']}, {row['reason']}: {row['meaning']}\n    {row['next_act']}")


@quarantine.command("show")
def show_one(number: Number, config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show one thing and what was decided; no content."""

    async def run() -> Mapping[str, Any]:
        async with at_node(config) as at, reading(at.engine) as session:
            kept = await kept_aside.load(session, number)
            if kept is None:
                raise Unknown("not_found", f"There is no number {number} in quarantine.")
            said = await decisions.decisions_on(session, number)
            return _sheet(kept, at.node.directory, said)

    row = asyncio.run(run())
    if as_json:
        show([row], as_json=True)
        return
    for name, value in row.items():
        for line in value if isinstance(value, list) else [value]:
            say(f"{name:>10}: {'' if line is None else line if isinstance(line, str) else _line(line)}")


def _command(act: QuarantineAct) -> Callable[..., None]:
    def command(
        number: Number,
        reasons: Reasons,
        token_file: TokenFile = None,
        config: Config = None,
        as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
    ) -> None:
        async def run() -> Decided:
            async with acting_officer(config, token_file) as acting:
                return await decide_quarantined(acting, Wish(number, act, reasons), effects=EFFECTS)

        done = asyncio.run(run())
        hours = int(PROPOSAL_STANDS.total_seconds() // 3600)
        proposed = f"Proposed. Another officer has to say `quarantine {act} {number}` within {hours} hours."
        text = f"{SAID[act]}." if done.done else proposed
        say(text, as_json=as_json, id=number, act=act.value, done=done.done, state=done.state.value)

    return command


HELP: Mapping[QuarantineAct, str] = {
    QuarantineAct.RETRY: "Give it its turn again (one officer).",
    QuarantineAct.REJECT: "End it without effect, tell its sender (one officer).",
    QuarantineAct.VOID: "End it as if it was never said (two officers).",
    QuarantineAct.DISCARD: "Put away what nobody waits for (one officer).",
    QuarantineAct.ADMIT: "Take what a revoked key signed (two officers).",
}
for each, sentence in HELP.items():
    quarantine.command(each.value, help=sentence)(_command(each))


def _row(kept: Kept, directory: Directory) -> Mapping[str, Any]:
    suspect = kept.suspect
    advice = advise_on_quarantine(directory, suspect.reason, suspect.iss)
    return {
        "id": kept.id,
        "since": kept.first_seen.isoformat(timespec="seconds"),
        "peer": suspect.iss,
        "proven": suspect.authenticated,
        "reason": suspect.reason,
        "thread": suspect.thread,
        "seq": suspect.seq,
        "times": kept.times,
        "meaning": advice.meaning,
        "next_act": advice.next_act,
    }


def _sheet(kept: Kept, directory: Directory, said: Sequence[Decision]) -> Mapping[str, Any]:
    return {
        **_row(kept, directory),
        "state": kept.state.value,
        "last_seen": kept.last_seen.isoformat(timespec="seconds"),
        "jti": kept.suspect.jti,
        "lane": str(kept.suspect.lane),
        "digest": kept.suspect.digest,
        "bytes": len(kept.suspect.raw),
        "next_act": _next_act(kept, directory),
        "decisions": [_decision(one) for one in said],
    }


def _next_act(kept: Kept, directory: Directory) -> str:
    if kept.state is not QuarantineState.OPEN:
        return "Nobody has to do anything: it was dealt with."
    return advise_on_quarantine(directory, kept.suspect.reason, kept.suspect.iss).next_act


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "act": one.act.value,
        "proposed_by": one.proposer,
        "proposed_at": one.proposed_at.isoformat(timespec="seconds"),
        "confirmed_by": one.confirmer,
        "decided_at": None if one.decided_at is None else one.decided_at.isoformat(timespec="seconds"),
        "reasons": one.reasons,
    }


def _line(value: object) -> str:
    return (
        ", ".join(f"{name} {text}" for name, text in value.items() if text) if isinstance(value, dict) else str(value)
    )
