"""What became of a request, as both contact points show it: the second half of an exchange's form, numbered E1 to E12.

E13 to E17 are in `afterwards`.

Only what both sides see is here (domain.md 6.11): nothing of the requested side's own desk.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from app.domain.exchange_codes import Side
from app.forms.afterwards import afterwards, marking_fields
from app.forms.values import Amount, Code, Country, Day, Field, Flag, Free, Moment, Name, Part, Plain, Section, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from app.domain.emergency_facts import EmergencyFacts
    from app.domain.exchange.values import Condition, Exchange
    from app.domain.holds import Hold
    from app.domain.markings import Marking
    from app.forms.cases import Enclosure

REASON_LISTS = {"R": "refusal_ground", "N": "not_executable", "P": "postponement"}
"""The closed list a reason is of, by its first letter."""


def course_of(exchange: Exchange, files: Sequence[Enclosure] = ()) -> tuple[Section, ...]:
    """Every section that has something to say; the state always. `files` are those that acts have brought."""
    sections = (
        Section("E1", "state", tuple(_state(exchange))),
        Section("E2", "references", tuple(_references(exchange))),
        Section("E3", "outcome", tuple(_outcome(exchange))),
        Section("E4", "results", parts=tuple(_results(exchange))),
        Section("E5", "holds", parts=tuple(_hold(hold, index) for index, hold in enumerate(exchange.holds, start=1))),
        Section("E6", "conditions", parts=tuple(_conditions(exchange))),
        Section("E7", "open_question", tuple(_question(exchange))),
        Section("E8", "answers", parts=tuple(_answers(exchange))),
        Section("E9", "traffic_paths", parts=tuple(_paths(exchange))),
        Section("E10", "supplements", parts=tuple(_supplements(exchange))),
        Section("E11", "tier_changes", parts=tuple(_tier_changes(exchange))),
        Section("E12", "progress", parts=tuple(_progress(exchange))),
        *afterwards(exchange, files),
    )
    return tuple(section for section in sections if not section.is_empty)


def _state(exchange: Exchange) -> Iterator[Field]:
    yield Field("exchange.state", (Code("state", exchange.state),), "E1.1")
    yield Field("exchange.state_since", (Moment(exchange.state_since),), "E1.2")
    yield Field("exchange.tier", (Code("tier", exchange.tier),), "E1.3")
    if exchange.flags:
        yield Field("exchange.flags", tuple(Code("flag", flag) for flag in exchange.flags), "E1.4")
    yield Field("exchange.generation", (Plain(str(exchange.generation)),), "E1.5")
    if exchange.served_at:
        yield Field("exchange.served_at", (Moment(exchange.served_at),), "E1.6")
    if exchange.left_out:
        yield Field("exchange.left_out", (Plain(str(exchange.left_out)),), "E1.7")


def _references(exchange: Exchange) -> Iterator[Field]:
    if exchange.b_reference:
        yield Field("exchange.b_reference", (Plain(exchange.b_reference),), "E2.1")
    if exchange.instrument:
        yield Field("exchange.instrument", (Code("instrument", exchange.instrument),), "E2.2")
    if exchange.next_update_at:
        yield Field("exchange.next_update_at", (Moment(exchange.next_update_at),), "E2.3")
    if exchange.referred_to:
        to = exchange.referred_to
        named = tuple(Name(text) for text in (to.authority, to.contact) if text)
        yield Field("exchange.referred_to", (*named, *((Plain(to.reference),) if to.reference else ())), "E2.4")


def _outcome(exchange: Exchange) -> Iterator[Field]:
    if exchange.reason:
        known = REASON_LISTS.get(exchange.reason.partition("-")[0], "reason")
        yield Field("exchange.reason", (Code(known, exchange.reason),), "E3.1")
    if exchange.reason_article:
        yield Field("exchange.reason_article", (Plain(exchange.reason_article),), "E3.2")
    if exchange.reason_text:
        yield Field("exchange.reason_text", (Free(exchange.reason_text),), "E3.3")
    if exchange.suggestion:
        yield Field("exchange.suggestion", (Free(exchange.suggestion),), "E3.4")
    if exchange.review_at:
        yield Field("exchange.review_at", (Moment(exchange.review_at),), "E3.5")
    if exchange.narrowing:
        yield Field("exchange.narrowing", (Free(exchange.narrowing),), "E3.6")


def _results(exchange: Exchange) -> Iterator[Part]:
    for index, result in enumerate(exchange.results, start=1):
        outcome = Code("not_executable", result.outcome) if result.outcome else Code("result", "HELD")
        fields = [
            Field("result.target", (Plain(str(result.target + 1)),)),
            Field("result.outcome", (outcome,)),
        ]
        yield Part("result", f"E4.{index}", (*fields, *_text("result.text", result.text)))


def _hold(hold: Hold, index: int) -> Part:
    """The end in UTC and on both clocks: it is at the end of a day of the requested side."""
    fields: list[Field] = [
        Field("hold.id", (Plain(str(hold.id)),)),
        Field("hold.state", (Code("hold_state", hold.state),)),
        Field("hold.preserved_at", (Moment(hold.preserved_at),)),
        Field("hold.days_granted", (Amount(hold.days_granted, "day"),)),
    ]
    optional: list[tuple[str, Value | None]] = [
        ("hold.expires_at", Moment(hold.expires_at) if hold.expires_at else None),
        ("hold.releasing", Flag(is_so=True) if hold.releasing else None),
        ("hold.ended_at", Moment(hold.ended_at) if hold.ended_at else None),
        ("hold.mla_status", Code("mla_status", hold.mla.status)),
        ("hold.mla_planned_on", Day(hold.mla.planned_on) if hold.mla.planned_on else None),
        ("hold.mla_reference", Plain(hold.mla.claimed_reference) if hold.mla.claimed_reference else None),
        ("hold.mla_received_at", Moment(hold.mla.received_at) if hold.mla.received_at else None),
        ("hold.ca_reference", Plain(hold.mla.ca_reference) if hold.mla.ca_reference else None),
        ("hold.extension_wish", Amount(hold.extension_wish.days, "day") if hold.extension_wish else None),
        ("hold.decision", Free(hold.mla.decision) if hold.mla.decision else None),
        ("hold.end_reason", Code("hold_end", hold.end_reason) if hold.end_reason else None),
        ("hold.end_text", Free(hold.end_text) if hold.end_text else None),
        ("hold.lost_at", Moment(hold.lost_at) if hold.lost_at else None),
        ("hold.new_request_possible", _yes_or_no(is_so=hold.new_request_possible)),
        *(("hold.extension", Moment(one.expires_at)) for one in hold.extensions),
    ]
    targets = (
        (Field("hold.targets", (Plain(", ".join(str(one + 1) for one in hold.targets)),)),) if hold.targets else ()
    )
    present = [Field(key, (value,)) for key, value in optional if value is not None]
    return Part("hold", f"E5.{index}", (*fields, *targets, *present))


def _yes_or_no(*, is_so: bool | None) -> Flag | None:
    return None if is_so is None else Flag(is_so)


def _conditions(exchange: Exchange) -> Iterator[Part]:
    """Those that bind, then the one that is proposed and binds nobody yet."""
    proposed = () if exchange.condition is None else (exchange.condition,)
    for index, condition in enumerate((*exchange.accepted_conditions, *proposed), start=1):
        yield Part("condition", f"E6.{index}", tuple(_condition(condition)))


def _condition(condition: Condition) -> Iterator[Field]:
    yield Field("condition.kind", (Code("condition_kind", condition.kind),))
    yield Field("condition.text", (Free(condition.text),))
    yield Field("condition.binds", (Flag(condition.accepted_at is not None),))
    if condition.accepted_at is not None:
        yield Field("condition.accepted_at", (Moment(condition.accepted_at),))


def _question(exchange: Exchange) -> Iterator[Field]:
    asked = exchange.question
    if asked is None:
        return
    lists = {"C": "completion", "W": "risk_notice"}
    codes = tuple(Code(lists.get(code.partition("-")[0], "completion"), code) for code in asked.codes)
    if codes:
        yield Field("question.codes", codes, "E7.1")
    yield Field("question.text", (Free(asked.text),), "E7.2")
    yield Field("question.due_at", (Moment(asked.due_at),), "E7.3")


def _answers(exchange: Exchange) -> Iterator[Part]:
    for index, answer in enumerate(exchange.answers, start=1):
        evaluation = []
        if answer.source:
            evaluation.append(Field("evaluation.source", (Code("source_evaluation", answer.source),)))
        if answer.information:
            evaluation.append(Field("evaluation.information", (Code("information_evaluation", answer.information),)))
        at = Field("answer.at", (Moment(answer.at),))
        fields = (at, *_text("answer.text", answer.text), *evaluation, *_marking(answer.marking))
        yield Part("answer", f"E8.{index}", fields)


def _marking(marking: Marking | None) -> Iterator[Field]:
    if marking is not None:
        yield from marking_fields(asdict(marking))


def _paths(exchange: Exchange) -> Iterator[Part]:
    for index, path in enumerate(exchange.traffic_paths, start=1):
        fields = [Field("traffic_path.at", (Moment(path.at),))]
        if path.withheld:
            fields.append(Field("traffic_path.withheld", (Code("refusal_ground", path.withheld),)))
        if path.provider:
            fields.append(Field("traffic_path.provider", (Name(path.provider),)))
        if path.country:
            fields.append(Field("traffic_path.country", (Country(path.country),)))
        for hop in path.path:
            place: tuple[Value, ...] = (Country(hop.country),) if hop.country else ()
            seen: tuple[Value, ...] = (Moment(hop.seen_at),) if hop.seen_at else ()
            fields.append(Field("traffic_path.hop", (Plain(hop.address), *place, *seen)))
        fields += _marking(path.marking)
        yield Part("traffic_path", f"E9.{index}", tuple(fields))


def _supplements(exchange: Exchange) -> Iterator[Part]:
    """What the requesting side added, then facts that came after the end."""
    asking, asked = exchange.requesting, exchange.requested
    sides = {Side.REQUESTING: asking, Side.REQUESTED: asked}
    added = [(one.at, one.text, asking) for one in exchange.supplements]
    added += [(one.at, one.text, sides[one.side]) for one in exchange.late_facts]
    for index, (at, text, by) in enumerate(added, start=1):
        fields = (Field("supplement.by", (Plain(by),)), Field("supplement.at", (Moment(at),)))
        yield Part("supplement", f"E10.{index}", (*fields, *_text("supplement.text", text)))


def _tier_changes(exchange: Exchange) -> Iterator[Part]:
    for index, change in enumerate(exchange.tier_changes, start=1):
        fields = (
            Field("tier_change.at", (Moment(change.at),)),
            Field("tier_change.tier", (Code("tier", change.tier),)),
            *((Field("tier_change.code", (Plain(change.code),)),) if change.code else ()),
        )
        told = (*fields, *_text("tier_change.text", change.text), *_emergency(change.emergency))
        yield Part("tier_change", f"E11.{index}", told)


def _emergency(facts: EmergencyFacts | None) -> Iterator[Field]:
    """Who is at risk of what, under the labels of a request that was filed as an emergency."""
    if facts is None:
        return
    yield Field("emergency.threat_kind", (Code("threat_kind", facts.threat_kind),))
    yield Field("emergency.persons_at_risk", (Free(facts.persons_at_risk),))
    yield Field("emergency.facts", (Free(facts.facts),))
    yield Field("emergency.link_to_data", (Free(facts.link_to_data),))
    if facts.imminent_until is not None:
        yield Field("emergency.imminent_until", (Moment(facts.imminent_until),))


def _progress(exchange: Exchange) -> Iterator[Part]:
    yield from _dated("progress", "E12", [(one.at, one.text) for one in exchange.progress])


def _dated(key: str, number: str, entries: Iterable[tuple[datetime, str]]) -> Iterator[Part]:
    for index, (at, text) in enumerate(entries, start=1):
        yield Part(key, f"{number}.{index}", (Field(f"{key}.at", (Moment(at),)), *_text(f"{key}.text", text)))


def _text(key: str, text: str | None) -> tuple[Field, ...]:
    return (Field(key, (Free(text),)),) if text else ()
