"""What was asked and told after information was given: sections E13 to E17 of an exchange's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.exchange_codes import Side
from app.forms.values import Amount, Code, Day, Field, Free, Moment, Name, Part, Plain, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.domain.exchange.onward_values import OnwardTransfer, UseQuestion
    from app.domain.exchange.values import Exchange
    from app.forms.cases import Enclosure


def afterwards(exchange: Exchange, files: Sequence[Enclosure]) -> tuple[Section, ...]:
    """Onward transfers, accounts of use, formal confirmation, oral request, files of both sides."""
    return (
        Section("E13", "onward_transfers", parts=tuple(_transfers(exchange))),
        Section("E14", "use_questions", parts=tuple(_uses(exchange))),
        Section("E15", "confirmation", tuple(_confirmation(exchange))),
        Section("E16", "oral_request", tuple(_oral(exchange))),
        Section("E17", "exchanged_files", parts=tuple(_files(files))),
    )


def describe_file(one: Enclosure) -> Iterator[Field]:
    """What a file is known by, who brought it where that has to be said, and what it bears."""
    yield Field("enclosure.name", (Name(one.name),))
    yield Field("enclosure.size", (Amount(one.size, "byte"),))
    if one.media_type:
        yield Field("enclosure.media_type", (Plain(one.media_type),))
    yield Field("enclosure.sha256", (Plain(one.sha256),))
    if one.by:
        yield Field("enclosure.by", (Plain(one.by),))
    if one.marking is not None:
        yield from marking_fields(one.marking)


def marking_fields(marking: Mapping[str, Any]) -> Iterator[Field]:
    """A marking and, of H3, its text."""
    codes = [Code("handling", code) for code in marking.get("handling") or ()]
    yield Field("answer.marking", (Code("tlp", marking["tlp"]), Code("pap", marking["pap"]), *codes))
    if marking.get("text"):
        yield Field("marking.text", (Free(marking["text"]),))


def _transfers(exchange: Exchange) -> Iterator[Part]:
    for index, one in enumerate(exchange.onward_transfers, start=1):
        yield Part("onward_transfer", f"E13.{index}", tuple(_transfer(exchange, one)))


def _transfer(exchange: Exchange, one: OnwardTransfer) -> Iterator[Field]:
    """Who wishes to give it to whom and for what, and what its giver has said; without a decision it is not granted."""
    yield Field("onward_transfer.by", (Plain(_code(exchange, one.side)),))
    yield Field("onward_transfer.to", (Name(one.to),))
    yield Field("onward_transfer.purpose", (Free(one.purpose),))
    yield Field("onward_transfer.asked_at", (Moment(one.asked_at),))
    yield Field("onward_transfer.decision", (Code("decision", one.decision or "OPEN"),))
    if one.text:
        yield Field("onward_transfer.text", (Free(one.text),))
    if one.decided_at:
        yield Field("onward_transfer.decided_at", (Moment(one.decided_at),))


def _uses(exchange: Exchange) -> Iterator[Part]:
    for index, one in enumerate(exchange.use_questions, start=1):
        yield Part("use_question", f"E14.{index}", tuple(_use(exchange, one)))


def _use(exchange: Exchange, one: UseQuestion) -> Iterator[Field]:
    yield Field("use_question.by", (Plain(_code(exchange, one.side)),))
    yield Field("use_question.text", (Free(one.text),))
    yield Field("use_question.asked_at", (Moment(one.asked_at),))
    if one.answer:
        yield Field("use_question.answer", (Free(one.answer),))
    if one.answered_at:
        yield Field("use_question.answered_at", (Moment(one.answered_at),))


def _confirmation(exchange: Exchange) -> Iterator[Field]:
    wanted = exchange.confirmation
    if wanted is None:
        return
    yield Field("confirmation.due_at", (Moment(wanted.due_at),), "E15.1")
    if wanted.reference:
        yield Field("confirmation.reference", (Plain(wanted.reference),), "E15.2")
    if wanted.dated:
        yield Field("confirmation.dated", (Day(wanted.dated),), "E15.3")
    if wanted.confirmed_at:
        yield Field("confirmation.confirmed_at", (Moment(wanted.confirmed_at),), "E15.4")


def _oral(exchange: Exchange) -> Iterator[Field]:
    said = exchange.oral
    if said is None:
        return
    yield Field("oral_request.made_at", (Moment(said.made_at),), "E16.1")
    yield Field("oral_request.by", (Name(said.made_by),), "E16.2")
    yield Field("oral_request.to", (Name(said.received_by),), "E16.3")
    if said.text:
        yield Field("oral_request.text", (Free(said.text),), "E16.4")
    if said.due_at:
        yield Field("oral_request.due_at", (Moment(said.due_at),), "E16.5")
    if said.regularised_at:
        yield Field("oral_request.regularised_at", (Moment(said.regularised_at),), "E16.6")


def _files(files: Sequence[Enclosure]) -> Iterator[Part]:
    for index, one in enumerate(files, start=1):
        yield Part("enclosure", f"E17.{index}", tuple(describe_file(one)))


def _code(exchange: Exchange, side: Side) -> str:
    return exchange.requesting if side is Side.REQUESTING else exchange.requested
