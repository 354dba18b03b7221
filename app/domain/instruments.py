"""Which legal instrument a request can rest on, for two states, on a day (domain.md 2.6).

The law is data: who is party since when, and for which pairs an instrument that not everybody applies has been switched
on. Nothing here says what a state must do; an empty answer means that the duty officer has to take another road.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.domain.codes import Instrument, RequestType
from app.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

T = RequestType
NO_BASIS = "N-NOBASIS"

_State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
_TWO_LETTERS = 2


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(_Row):
    """A state bound by an instrument, first and last day included."""

    instrument: Instrument
    state: _State
    since: date
    until: date | None = None


class Pair(_Row):
    """Two states between which an instrument applies: a treaty of their own, or one that has to be switched on."""

    instrument: Instrument
    states: Annotated[frozenset[_State], Field(min_length=2, max_length=2)]
    since: date
    until: date | None = None


class Law(_Row):
    """All that is known of who is bound by what."""

    parties: tuple[Party, ...] = ()
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """An instrument a request may rest on, with the articles for its type; `duty` is False for best efforts."""

    instrument: Instrument
    articles: tuple[str, ...]
    duty: bool = True


@dataclass(frozen=True, slots=True)
class _Scope:
    """What an instrument covers. `by_pair`: being a party is not enough, the pair must be switched on."""

    articles: Mapping[RequestType, tuple[str, ...]]
    by_pair: bool = False
    duty: bool = True


_TREATIES_OF_THEIR_OWN: Mapping[RequestType, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(
        (
            T.PRESERVATION,
            T.PRESERVATION_EXTENSION,
            T.LEGAL_INFORMATION,
            T.EVIDENCE_COLLECTION,
            T.LOCATE_SUSPECT,
            T.MLA_INITIATION,
        ),
        (),
    )
)

# In order of preference: a treaty that states the duty, then those that have to be switched on, then best efforts.
SCOPES: Mapping[Instrument, _Scope] = MappingProxyType(
    {
        Instrument.ETS185: _Scope(
            {
                T.PRESERVATION: ("29", "30"),
                T.PRESERVATION_EXTENSION: ("29",),
                T.TECHNICAL_ADVICE: ("35",),
                T.LEGAL_INFORMATION: ("35",),
                T.PROVIDER_CONTACT: ("35",),
                T.EVIDENCE_COLLECTION: ("31", "35"),
                T.LOCATE_SUSPECT: ("35",),
                T.MLA_INITIATION: ("35",),
                T.SPONTANEOUS_INFORMATION: ("26",),
            }
        ),
        Instrument.CETS224: _Scope({T.EMERGENCY_DISCLOSURE: ("9",), T.EMERGENCY_MLA_NOTICE: ("10",)}, by_pair=True),
        Instrument.UNCC: _Scope(
            {
                T.PRESERVATION: ("42", "43"),
                T.PRESERVATION_EXTENSION: ("42",),
                T.TECHNICAL_ADVICE: ("41",),
                T.LEGAL_INFORMATION: ("41",),
                T.PROVIDER_CONTACT: ("41",),
                T.EVIDENCE_COLLECTION: ("41", "44"),
                T.LOCATE_SUSPECT: ("41",),
                T.MLA_INITIATION: ("41",),
                T.DATA_LOCATION_QUERY: ("41", "42"),
            },
            by_pair=True,
        ),
        Instrument.BILATERAL: _Scope(_TREATIES_OF_THEIR_OWN, by_pair=True),
        Instrument.REGIONAL: _Scope(_TREATIES_OF_THEIR_OWN, by_pair=True),
        Instrument.G7_24_7: _Scope(
            dict.fromkeys(
                (T.PRESERVATION, T.TECHNICAL_ADVICE, T.LEGAL_INFORMATION, T.PROVIDER_CONTACT, T.MLA_INITIATION), ()
            ),
            duty=False,
        ),
    }
)


def read_law(text: str) -> Law:
    """Law from its JSON form; raises pydantic's ValidationError on anything it does not know."""
    return Law.model_validate(json.loads(text))


@cache
def packaged_law() -> Law:
    """The law that comes with the program: the invented states of the demonstration."""
    return read_law(resources.files("app").joinpath("data/instruments.json").read_text("utf-8"))


def usable(
    requesting: str,
    requested: str,
    *,
    on: date,
    type: RequestType,
    law: Law | None = None,
) -> tuple[Basis, ...]:
    """The instruments a request of this type may rest on between two contact points that day, best first."""
    states = frozenset({state_of(requesting), state_of(requested)})
    known = packaged_law() if law is None else law
    return tuple(
        Basis(instrument, scope.articles[type], scope.duty)
        for instrument, scope in SCOPES.items()
        if type in scope.articles and _applies(instrument, known, states=states, on=on)
    )


def require_basis(bases: tuple[Basis, ...], chosen: Instrument | None = None) -> Basis:
    """The chosen instrument, or the best one if none was chosen; raises Refused `N-NOBASIS` if it cannot be used."""
    for basis in bases:
        if chosen in {None, basis.instrument}:
            return basis
    raise Refused(
        NO_BASIS, "No instrument in force between the two states covers this request; another road is needed."
    )


def state_of(code: str) -> str:
    """The state for which a contact point speaks."""
    return code[:_TWO_LETTERS]


def _applies(instrument: Instrument, law: Law, *, states: frozenset[str], on: date) -> bool:
    if SCOPES[instrument].by_pair:
        return any(pair.instrument is instrument and pair.states == states and _covers(pair, on) for pair in law.pairs)
    bound = {party.state for party in law.parties if party.instrument is instrument and _covers(party, on)}
    return states <= bound


def _covers(row: Party | Pair, on: date) -> bool:
    return row.since <= on and (row.until is None or on <= row.until)
