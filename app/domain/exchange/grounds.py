"""Grounds for refusing: the closed list, by instrument and type of request (domain.md 2.2). Data, and one look-up.

Under art. 29 three grounds exist and no others. What is not listed here is not refused: it is not executable, or a
question, a condition or a notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import Instrument, RefusalGround, RequestType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange

G = RefusalGround
Grounds = dict[RefusalGround, str]

CONVENTION_OFFENCES = frozenset(str(article) for article in range(2, 12))
"""ETS 185 arts. 2 to 11: no reservation on dual criminality and no fiscal ground reaches them."""

_PRESERVATION = (RequestType.PRESERVATION, RequestType.PRESERVATION_EXTENSION)
_ASSISTANCE = (
    RequestType.TECHNICAL_ADVICE,
    RequestType.LEGAL_INFORMATION,
    RequestType.PROVIDER_CONTACT,
    RequestType.EVIDENCE_COLLECTION,
    RequestType.LOCATE_SUSPECT,
    RequestType.MLA_INITIATION,
    RequestType.EMERGENCY_MLA_NOTICE,
    RequestType.DATA_LOCATION_QUERY,
)
"""Assistance at large (arts. 25, 27, 31): what the matrix's column 31 covers, and the milder services beside it."""

_ART_29: Grounds = {G.POLITICAL: "29(5)(a)", G.ESSENTIAL_INTERESTS: "29(5)(b)", G.DUAL_CRIMINALITY: "29(4)"}
_ART_30: Grounds = {G.POLITICAL: "30(2)(a)", G.ESSENTIAL_INTERESTS: "30(2)(b)"}
_ART_27: Grounds = {
    G.POLITICAL: "27(4)(a)",
    G.ESSENTIAL_INTERESTS: "27(4)(b)",
    G.DUAL_CRIMINALITY: "25(5)",
    G.DOMESTIC_LAW: "25(4)",
    G.FISCAL: "25(4)",
    G.DECLARATION: "25(4)",
}
_ART_224_9: Grounds = {
    G.POLITICAL: "27(4)(a)",
    G.ESSENTIAL_INTERESTS: "27(4)(b)",
    G.DOMESTIC_LAW: "25(4)",
    G.DECLARATION: "9(1)(b)",
}
_UN_42: Grounds = {
    G.POLITICAL: "42(6)",
    G.ESSENTIAL_INTERESTS: "42(6)",
    G.DOMESTIC_LAW: "42(6)",
    G.DUAL_CRIMINALITY: "42(5)",
}
_UN_43: Grounds = {G.POLITICAL: "43", G.ESSENTIAL_INTERESTS: "43"}
_UN_40: Grounds = {
    G.POLITICAL: "40",
    G.ESSENTIAL_INTERESTS: "40",
    G.DUAL_CRIMINALITY: "40",
    G.DOMESTIC_LAW: "40",
    G.DECLARATION: "40",
}
_TREATY: Grounds = {
    G.POLITICAL: "treaty",
    G.ESSENTIAL_INTERESTS: "treaty",
    G.DUAL_CRIMINALITY: "treaty",
    G.DOMESTIC_LAW: "treaty",
}
_BEST_EFFORTS: Grounds = {G.POLITICAL: "protocol", G.ESSENTIAL_INTERESTS: "protocol", G.BEST_EFFORT: "protocol"}


def _column(instrument: Instrument, types: tuple[RequestType, ...], grounds: Grounds) -> dict[_Key, Grounds]:
    return {(instrument, kind): grounds for kind in types}


_Key = tuple[Instrument, RequestType]
_ALL = (*_PRESERVATION, *_ASSISTANCE)

MATRIX: Mapping[_Key, Grounds] = {
    **_column(Instrument.ETS185, _PRESERVATION, _ART_29),
    **_column(Instrument.ETS185, (RequestType.TRAFFIC_PATH_DISCLOSURE,), _ART_30),
    **_column(Instrument.ETS185, _ASSISTANCE, _ART_27),
    **_column(Instrument.CETS224, (RequestType.EMERGENCY_DISCLOSURE,), _ART_224_9),
    **_column(Instrument.CETS224, (RequestType.EMERGENCY_MLA_NOTICE,), _ART_27),
    **_column(Instrument.UNCC, _PRESERVATION, _UN_42),
    **_column(Instrument.UNCC, (RequestType.TRAFFIC_PATH_DISCLOSURE,), _UN_43),
    **_column(Instrument.UNCC, (*_ASSISTANCE, RequestType.EMERGENCY_DISCLOSURE), _UN_40),
    **_column(Instrument.BILATERAL, _ALL, _TREATY),
    **_column(Instrument.REGIONAL, _ALL, _TREATY),
    **_column(Instrument.G7_24_7, _ALL, _BEST_EFFORTS),
}
"""(instrument accepted, type) → ground → provision. A pair not listed knows no refusal, as art. 26 knows none."""


def available_grounds(exchange: Exchange, instrument: Instrument, rules: PartyRules) -> tuple[RefusalGround, ...]:
    """The grounds open to the requested side in this case, in the order of the matrix."""
    listed = MATRIX.get((instrument, exchange.type), {})
    return tuple(ground for ground in listed if _is_open(ground, exchange, instrument, rules=rules))


def provision(exchange: Exchange, instrument: Instrument, ground: RefusalGround) -> str:
    """The provision behind a ground, as `ETS185:29(5)(a)`; KeyError if the matrix does not know the ground there."""
    return f"{instrument}:{MATRIX[instrument, exchange.type][ground]}"


def needs_reservation(exchange: Exchange, instrument: Instrument) -> bool:
    """Whether dual criminality can be invoked only on a reservation on file: for preservation under a convention."""
    return exchange.type in _PRESERVATION and instrument in {Instrument.ETS185, Instrument.UNCC}


def _is_open(ground: RefusalGround, exchange: Exchange, instrument: Instrument, *, rules: PartyRules) -> bool:
    articles = exchange.asked.articles
    outside_convention = bool(articles) and CONVENTION_OFFENCES.isdisjoint(articles)
    if ground is G.DUAL_CRIMINALITY and needs_reservation(exchange, instrument):
        return outside_convention and any(on_file.startswith(f"{instrument}:") for on_file in rules.reservations)
    if ground is G.FISCAL:
        return outside_convention
    if ground is G.DECLARATION:
        return instrument in rules.declared
    return True
