"""The history checker finds what it is for: each set is shown by a history in which exactly that was put wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.checker import SHOWN, Findings, Got, History, Leaf, Sent, Told, Wanted, check

if TYPE_CHECKING:
    from collections.abc import Callable

    Nodes = dict[str, History]

THREAD = "t1"


def well() -> Nodes:
    """XA opened an exchange at XT and sent two numbered acts; XT answered with its state."""
    numbers = (1, 2)
    opening = Sent("o", "XT", "exchange.open/1", THREAD, 1, "stored", "receipt")
    acts = [Sent(f"a{n}", "XT", "exchange.action/1", THREAD, n + 1, "stored", "receipt") for n in numbers]
    state = Sent("s", "XA", "exchange.state/1", THREAD, 1, "held", "receipt")
    told = [Told(THREAD, "delivered"), *(Told(THREAD, "supplement", n) for n in numbers)]
    ours = [opening, *acts]
    xa = History(
        sent=[*ours, Sent("h", "XT", "heartbeat/1", left_by="replaced")],
        got=[Got("s", "XT", "exchange.state/1", "applied", THREAD, 1), Got("r", "XT", "receipt/1", "applied")],
        leaves=[*(Leaf("envelope.queued", one.jti, THREAD) for one in ours), Leaf("envelope.received", "s", THREAD)],
    )
    xt = History(
        sent=[state, Sent("r", "XA", "receipt/1", left_by="confirm")],
        got=[Got(one.jti, "XA", one.type, "applied", THREAD, one.seq) for one in ours],
        told=told,
        leaves=[
            *(Leaf("envelope.received", one.jti, THREAD) for one in ours),
            Leaf("envelope.queued", "s", THREAD),
            *(Leaf("case.changed", None, THREAD) for _ in told),
        ],
    )
    return {"XA": xa, "XT": xt}


WANTED = (Wanted(THREAD, "XT", (1, 2)),)


def changed(nodes: Nodes, code: str, **members: object) -> None:
    """Put something else in the place of one part of a history."""
    nodes[code] = replace(nodes[code], **members)  # type: ignore[arg-type] # any member of it


def lose_in_transit(nodes: Nodes) -> None:
    """The last act never arrived, and nobody said so."""
    xt, sent = nodes["XT"], nodes["XA"].sent
    changed(nodes, "XA", sent=[replace(one, status=None) if one.jti == "a2" else one for one in sent])
    changed(
        nodes,
        "XT",
        got=[one for one in xt.got if one.jti != "a2"],
        told=xt.told[:-1],
        leaves=[*(leaf for leaf in xt.leaves[:-1] if leaf.jti != "a2")],
    )


def lose_an_effect(nodes: Nodes) -> None:
    """The last act is in the inbox and says applied, and nothing came of it."""
    changed(nodes, "XT", told=nodes["XT"].told[:-1], leaves=nodes["XT"].leaves[:-1])


def double_an_effect(nodes: Nodes) -> None:
    """The opening had its effect twice, both on record."""
    xt = nodes["XT"]
    changed(nodes, "XT", told=[*xt.told, xt.told[0]], leaves=[*xt.leaves, xt.leaves[-1]])


def double_an_act(nodes: Nodes) -> None:
    """A numbered act had its effect twice, both on record."""
    xt = nodes["XT"]
    changed(nodes, "XT", told=[*xt.told, xt.told[-1]], leaves=[*xt.leaves, xt.leaves[-1]])


def double_a_leaf(nodes: Nodes) -> None:
    """The arrival of the opening is in the log twice."""
    changed(nodes, "XT", leaves=[*nodes["XT"].leaves, Leaf("envelope.received", "o", THREAD)])


def swap_effects(nodes: Nodes) -> None:
    """The second act had its effect before the first."""
    opened, first, second = nodes["XT"].told
    changed(nodes, "XT", told=[opened, second, first])


def pass_over(nodes: Nodes) -> None:
    """The second act had its effect while the first was still held."""
    got = nodes["XT"].got
    changed(nodes, "XT", got=[replace(one, state="held") if one.jti == "a1" else one for one in got])
    sent = nodes["XA"].sent
    changed(nodes, "XA", sent=[replace(one, status="held") if one.jti == "a1" else one for one in sent])


def receipt_nothing(nodes: Nodes) -> None:
    """XT receipted as stored what is still held there."""
    got = nodes["XT"].got
    changed(nodes, "XT", got=[replace(one, state="held") if one.jti == "a2" else one for one in got])


def forget_a_change(nodes: Nodes) -> None:
    """A line of the timeline has no leaf."""
    changed(nodes, "XT", leaves=nodes["XT"].leaves[:-1])


def forget_a_queued_one(nodes: Nodes) -> None:
    """XT's state was sent and left no leaf there; so XA's has none to match."""
    changed(nodes, "XT", leaves=[leaf for leaf in nodes["XT"].leaves if leaf.jti != "s"])


def log_alone(nodes: Nodes) -> None:
    """XA has the arrival of the state on record; XT knows neither of it nor of having sent it."""
    xt = nodes["XT"]
    changed(
        nodes,
        "XT",
        sent=[one for one in xt.sent if one.jti != "s"],
        leaves=[leaf for leaf in xt.leaves if leaf.jti != "s"],
    )


DOCTORED: dict[str, tuple[Callable[[Nodes], None], set[str]]] = {
    "a message that never arrived": (lose_in_transit, {"lost", "unmatched"}),
    "an effect that never was": (lose_an_effect, {"lost"}),
    "an opening with two effects": (double_an_effect, {"doubled"}),
    "an act with two effects": (double_an_act, {"doubled"}),
    "a leaf too many": (double_a_leaf, {"doubled"}),
    "effects in the wrong order": (swap_effects, {"out of order"}),
    "an effect before its turn": (pass_over, {"out of order"}),
    "a receipt for what waits": (receipt_nothing, {"receipt without effect"}),
    "a change without a leaf": (forget_a_change, {"effect without leaf"}),
    "a message sent without a leaf": (forget_a_queued_one, {"effect without leaf", "unmatched"}),
    "an arrival that nobody sent": (log_alone, {"unmatched"}),
}


def test_a_good_history_has_no_findings() -> None:
    """Where everything took effect once, in order, and on record at both sides, every set is empty."""
    assert check(well(), WANTED) == Findings()
    assert str(check(well(), WANTED)) == ""


@pytest.mark.parametrize("case", DOCTORED)
def test_a_doctored_history_is_found_out(case: str) -> None:
    """(Control) One thing put wrong fills the sets that are for it, and no other, with a name that is printed."""
    doctor, expected = DOCTORED[case]
    nodes = well()
    doctor(nodes)
    findings = check(nodes, WANTED)
    assert {name for name, members in findings.sets().items() if members} == expected
    printed = str(findings)
    assert all(f"{name} (" in printed for name in expected)


def test_an_exchange_that_nobody_knows_is_lost() -> None:
    """(Control) What a client was promised is looked for at the node it was meant for."""
    findings = check(well(), [*WANTED, Wanted("t2", "XT")])
    assert findings == Findings(lost=frozenset({"exchange t2 at XT"}))


def test_long_sets_are_cut() -> None:
    """Of a large set the first members and the number are printed."""
    printed = str(Findings(lost=frozenset(f"{number:03}" for number in range(SHOWN + 5))))
    assert printed.splitlines()[0] == f"lost ({SHOWN + 5}):"
    assert printed.splitlines()[-1] == "  … and 5 more"
