"""Bodies on the wire: strict in what is known, lenient in what is not."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import MessageType
from app.domain.message_reading import check_parties, read_body
from app.domain.messages import (
    ActionBody,
    HoldActionBody,
    OpenBody,
    ReceiptBody,
    VoidBody,
    known_message,
    write_body,
)
from app.domain.moments import to_milliseconds, write_instant
from app.errors import Conflict, Malformed
from tests.domain.exchange.build import EXCHANGE_ID, NOW, hold_order, opening, preserved

AT = "2026-11-22T09:30:00.000Z"
WISH: dict[str, Any] = {"act": {"action": "supplement", "generation": 3, "text": "Port 51544."}, "at": AT}


def without(raw: dict[str, Any], *path: str) -> dict[str, Any]:
    """A copy with one member left out."""
    copied = deepcopy(raw)
    here = copied
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    return copied


def test_an_open_is_written_and_read_back() -> None:
    """The document travels as it is, whatever is in it."""
    body = opening()
    read = read_body(OpenBody, json.loads(json.dumps(write_body(body))))
    assert (read.body, read.not_understood) == (body, ())


@pytest.mark.parametrize(
    "member", ["type", "tier", "requesting", "requested", "request_reference", "opened_at", "document"]
)
def test_an_open_without_one_of_its_members_is_not_understood(member: str) -> None:
    """The sender is known, the content is not: for quarantine, with the place named."""
    with pytest.raises(Malformed) as caught:
        read_body(OpenBody, without(write_body(opening()), member))
    assert caught.value.code == "not_understood"
    assert [error.pointer for error in caught.value.errors] == [f"/{member}"]


def test_unknown_members_of_an_act_are_set_aside_and_named() -> None:
    """Also deep inside, also one that is called like the act itself."""
    raw = deepcopy(WISH)
    raw["act"] |= {"mood": {"calm": True}, "supplement": 3}
    raw["seal"] = "x"
    read = read_body(ActionBody, raw)
    assert read.not_understood == ("/act/mood", "/act/supplement", "/seal")
    assert read.body.act.action == "supplement"


def test_an_unknown_member_beside_a_broken_one_does_not_save_the_message() -> None:
    """What we know must be right, whatever else is there."""
    raw = deepcopy(WISH)
    raw["act"] |= {"text": 5, "mood": "calm"}
    with pytest.raises(Malformed):
        read_body(ActionBody, raw)


BROKEN: dict[str, dict[str, Any]] = {
    "an action that nobody knows": {**WISH, "act": {"action": "dance", "generation": 1}},
    "no action": {**WISH, "act": {"generation": 1}},
    "a generation as text": {**WISH, "act": {**WISH["act"], "generation": "3"}},
    "a generation as a fraction": {**WISH, "act": {**WISH["act"], "generation": 3.0}},
    "a time without an offset": {**WISH, "at": "2026-11-22T09:30:00"},
    "a number for a time": {**WISH, "at": 1795340000},
    "a number in quotes for a time": {**WISH, "at": "1795340000"},
    "a time beyond the calendar": {**WISH, "at": "9999-12-31T23:59:59-14:00"},
    "an empty text": {**WISH, "act": {**WISH["act"], "text": ""}},
    "a text of blanks": {**WISH, "act": {**WISH["act"], "text": " \n "}},
    "a text too long": {**WISH, "act": {**WISH["act"], "text": "x" * 8001}},
    "a text with NUL": {**WISH, "act": {**WISH["act"], "text": "a\x00b"}},
    "half a surrogate pair": {**WISH, "act": {**WISH["act"], "text": "a\ud800b"}},
    "NUL in the name of an unknown member": {**WISH, "a\x00b": 1},
    "half a pair in a list of an unknown member": {**WISH, "more": ["\udfff"]},
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_what_is_wrong_in_a_known_member_is_not_understood(sentence: str) -> None:
    """Structure, type or size: never an exception of another kind, never a guess."""
    with pytest.raises(Malformed) as caught:
        read_body(ActionBody, BROKEN[sentence])
    assert caught.value.code == "not_understood"
    assert caught.value.errors


def test_a_hold_action_names_its_hold() -> None:
    """The act on a hold travels with the hold's id."""
    exchange = preserved()
    order = hold_order("claim_mla_sent", exchange, exchange.holds[0])
    body = HoldActionBody(hold_id=order.hold_id, act=order.act, at=NOW)
    assert read_body(HoldActionBody, json.loads(json.dumps(write_body(body)))).body == body


def test_a_receipt_is_a_list_and_names_what_it_is_for() -> None:
    """Always a list, never empty; the copy it answers is echoed."""
    entry = {
        "jti": str(EXCHANGE_ID),
        "copy": 2,
        "inner_hash": "A" * 43,
        "status": "held",
        "received_at": AT,
        "missing": [4, 5],
    }
    read = read_body(ReceiptBody, {"receipts": [entry]})
    assert write_body(read.body) == {"receipts": [entry]}
    with pytest.raises(Malformed):
        read_body(ReceiptBody, {"receipts": []})
    with pytest.raises(Malformed):
        read_body(ReceiptBody, {"receipts": [{**entry, "inner_hash": "A" * 42 + "="}]})


def test_a_void_may_say_why() -> None:
    """It fills a number; the reason is for people."""
    assert read_body(VoidBody, {}).body.reason is None
    assert read_body(VoidBody, {"reason": "lost in a restore"}).body.reason == "lost in a restore"


@pytest.mark.parametrize("name", [*MessageType, "exchange.open/2", "exchange.dance/1", "", "EXCHANGE.OPEN/1"])
def test_only_the_listed_types_are_known(name: str) -> None:
    """An unknown type or major version is told apart from a known one by exact spelling."""
    assert (known_message(name) is not None) is (name in set(MessageType))


def test_the_parties_of_an_open_are_those_of_its_envelope() -> None:
    """Neither side swapped, nor another's, nor two contact points of one state."""
    check_parties(opening(), iss="XA", aud="XT")
    for iss, aud in (("XT", "XA"), ("XS", "XT"), ("XA", "XS")):
        with pytest.raises(Conflict) as caught:
            check_parties(opening(), iss=iss, aud=aud)
        assert caught.value.code == "not_yours"
    domestic = opening().model_copy(update={"requested": "XA-NORTH"})
    with pytest.raises(Conflict) as caught:
        check_parties(domestic, iss="XA", aud="XA-NORTH")
    assert caught.value.code == "domestic_matter"


def test_what_our_own_people_send_may_hold_no_unknown_member() -> None:
    """The interface refuses what the wire sets aside."""
    with pytest.raises(ValidationError):
        EXCHANGE_ACT.validate_json(json.dumps({**WISH["act"], "mood": "calm"}))


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"provider": "Transit"},
        {"country": "XS"},
        {"provider": "Transit", "country": "XS", "withheld": "R-POL"},
        {"withheld": "R-POL", "path": [{"address": "198.51.100.20"}]},
        {"withheld": "R-DC"},
        {"provider": "Transit", "country": "XS", "path": [{"address": "198.51.100.20", "content": "hello"}]},
        {"provider": "Transit", "country": "XS", "path": [{"address": "GET /inbox HTTP/1.1"}]},
    ],
)
def test_a_traffic_path_tells_provider_and_country_or_the_ground_and_no_content(members: dict[str, Any]) -> None:
    """Art. 30: enough to identify provider and path; two grounds for withholding; content has no place to stand in."""
    with pytest.raises(ValidationError):
        EXCHANGE_ACT.validate_json(json.dumps({"action": "disclose_traffic_path", "generation": 1, **members}))


@pytest.mark.parametrize("days", [59, 0, -1, 3651])
def test_a_hold_of_less_than_sixty_days_cannot_be_written(days: int) -> None:
    """Art. 29(7), at the first door already."""
    with pytest.raises(ValidationError):
        EXCHANGE_ACT.validate_json(json.dumps({"action": "preserve", "generation": 1, "days": days}))


def test_an_instant_has_one_text() -> None:
    """UTC, `Z`, milliseconds, cut and never rounded up; an instant without an offset is none."""
    assert write_instant(NOW.replace(microsecond=999_999)) == "2026-11-22T09:30:00.999Z"
    with pytest.raises(ValueError, match="offset"):
        to_milliseconds(NOW.replace(tzinfo=None))
