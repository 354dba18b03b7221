"""Markings (TLP 2.0, PAP, handling codes): what combines to what, and where an item may go (domain.md 5.1, 5.2).

A marking never replaces a condition: conditions bind by law and are looked at beside it. Only the originator may
downgrade; for everybody else an item made from others bears the strictest marking of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import TYPE_CHECKING

from app.domain.codes import Handling, Pap, Tlp
from app.domain.exchange_codes import ConditionKind

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR = "\n* * *\n"
"""Between the texts of several restrictions that one derived item bears together."""

NEED_TO_KNOW = frozenset({Tlp.RED, Tlp.AMBER_STRICT})
"""Of what holds sensitive data (CETS 224 art. 14(4)): whoever needs to know it, and no further."""

_TLP = tuple(Tlp)
_PAP = tuple(Pap)
"""Both lists are written from the strictest to the most open."""


@dataclass(frozen=True, slots=True)
class Marking:
    """Who may see it, what may be done with it, what it may be used for; `text` says what H3 restricts.

    Handling codes stand in their order and each once, however they are given.
    """

    tlp: Tlp
    pap: Pap
    handling: tuple[Handling, ...] = ()
    text: str | None = None

    def __post_init__(self) -> None:
        """Bring it into its one form, so that equal markings are equal values."""
        object.__setattr__(self, "handling", tuple(sorted(set(self.handling))))
        object.__setattr__(self, "text", SEPARATOR.join(_texts(self)) or None)


def strictest(one: Marking, other: Marking) -> Marking:
    """The marking of what is made from both: the stricter of each part, every handling code, every restriction."""
    return Marking(
        tlp=_TLP[min(_TLP.index(one.tlp), _TLP.index(other.tlp))],
        pap=_PAP[min(_PAP.index(one.pap), _PAP.index(other.pap))],
        handling=(*one.handling, *other.handling),
        text=SEPARATOR.join((*_texts(one), *_texts(other))) or None,
    )


def combined(first: Marking, *others: Marking) -> Marking:
    """The strictest of all of them."""
    return reduce(strictest, others, first)


def more_open(one: Marking, *, than: Marking) -> tuple[str, ...]:
    """The parts of `one` that let more people see it, or allow more, than the other: of `tlp`, `pap`, `handling`."""
    parts = []
    if _TLP.index(one.tlp) > _TLP.index(than.tlp):
        parts.append("tlp")
    if _PAP.index(one.pap) > _PAP.index(than.pap):
        parts.append("pap")
    if not set(than.handling) <= set(one.handling):
        parts.append("handling")
    return tuple(parts)


def faults(marking: Marking, *, personal: bool = True) -> tuple[tuple[str, str], ...]:
    """What is wrong with a marking by itself, as (member, sentence): CLEAR on personal data, H3 without a text."""
    found = []
    if personal and marking.tlp is Tlp.CLEAR:
        found.append(("tlp", "Personal data are never TLP:CLEAR."))
    if Handling.H3 in marking.handling and marking.text is None:
        found.append(("text", "H3 means another restriction: write it down."))
    return tuple(found)


class Destination(StrEnum):
    """Where an item is about to go. `AGENCY` is the authority that asked, or the one that executes: named recipients.

    TLP's "organisation" is the contact point and that authority, its "clients" the other authorities of the state, its
    "community" the member contact points.
    """

    CONTACT_POINT = "contact_point"
    AGENCY = "agency"
    DOMESTIC_AUTHORITY = "domestic_authority"
    COURT = "court"
    OTHER_STATE = "other_state"


@dataclass(frozen=True, slots=True)
class Item:
    """Something received: its marking, the kinds of condition that bind it, and whether it is one's own.

    `granted` says that its originator has allowed this very use.
    """

    marking: Marking
    conditions: frozenset[ConditionKind] = frozenset()
    own: bool = False
    granted: bool = False


def may_leave(item: Item, *, to: Destination, other_use: bool = False) -> str | None:
    """Why the item may not go there for that use, or None if it may.

    The originator of an item, and whoever has its grant for this, may send it anywhere. To another state or an
    organisation nothing received goes without a grant, whatever its marking (CETS 224 art. 14(10)).
    """
    if item.own or item.granted:
        return None
    if to is Destination.OTHER_STATE:
        return "onward_transfer_not_granted"
    if other_use and (ConditionKind.NO_OTHER_USE in item.conditions or _is(item, Handling.H3)):
        return "other_use_not_permitted"
    if to is Destination.COURT and (ConditionKind.COURT_CONSENT in item.conditions or _is(item, Handling.H1)):
        return "court_use_not_permitted"
    if to in {Destination.DOMESTIC_AUTHORITY, Destination.COURT}:
        return _further(item)
    return None


def _further(item: Item) -> str | None:
    """What keeps it from authorities beyond those named."""
    if ConditionKind.CONFIDENTIAL in item.conditions or _is(item, Handling.H2):
        return "dissemination_not_permitted"
    if item.marking.tlp in {Tlp.RED, Tlp.AMBER_STRICT}:
        return "tlp_too_strict"
    return None


def _is(item: Item, code: Handling) -> bool:
    return code in item.marking.handling


def _texts(marking: Marking) -> Iterable[str]:
    """Each restriction once, in one order."""
    return sorted({text for text in (marking.text or "").split(SEPARATOR) if text})


DEFAULT = Marking(Tlp.AMBER_STRICT, Pap.RED)
"""What bears no marking is treated as marked so."""
