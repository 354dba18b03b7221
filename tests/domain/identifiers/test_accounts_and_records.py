"""Accounts, devices, machines, persons, bank accounts, cards and digests."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.identifiers import KINDS, AnyIdentifier
from tests.domain.identifiers.reading import fault_of, read, remarks

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def account(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An account of the example service."""
    return {"service": "Example Chat", "id": "8837261150", "id_kind": "NUMERIC", **members}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "8837261150"),
        ({"id": "@Kim_P", "id_kind": "HANDLE"}, "Kim_P"),
        ({"id": "8D8AC610-566D-4EF0-9C22-186B2A5ED793", "id_kind": "UUID"}, "8d8ac610-566d-4ef0-9c22-186b2a5ed793"),
    ],
)
def test_account_has_one_normal_form(members: dict[str, Any], expected: str) -> None:
    """Handles lose their at sign, UUIDs their capitals, services their case."""
    form = read("account", **account(**members)).normal_form()
    assert (form["service"], form["id"]) == ("example chat", expected)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"id": "kim"}, "bad_account"),
        ({"id": "８８３７"}, "bad_account"),
        ({"id": "kim", "id_kind": "UUID"}, "bad_account"),
        ({"id_kind": "NICKNAME"}, "enum"),
    ],
)
def test_account_is_of_its_kind(members: dict[str, Any], code: str) -> None:
    """A numeric id is a number, a UUID a UUID."""
    assert fault_of("account", **account(**members)) == code


def test_handle_needs_its_service_and_should_have_a_time() -> None:
    """A handle without service is refused; one without a time gets a remark."""
    assert fault_of("account", id="kim", id_kind="HANDLE") == "missing"
    assert remarks("account", **account(id="kim", id_kind="HANDLE")) == {"handle_may_change"}
    assert remarks("account", **account(id="kim", id_kind="HANDLE", observed_at="2026-11-21T10:00:00Z")) == set()
    assert remarks("account", **account()) == set()


@pytest.mark.parametrize("type_", ["device_id", "ad_id", "cookie"])
def test_issued_ids_name_their_issuer(type_: str) -> None:
    """An id means something only together with who issued it."""
    assert read(type_, issuer="Example Ads", value="AbC-1").normal_form() == {
        "type": type_,
        "issuer": "example ads",
        "value": "AbC-1",
    }
    assert fault_of(type_, value="AbC-1") == "missing"


def test_rented_machine_with_an_address_should_have_a_time() -> None:
    """Without the time a reassigned address may not resolve; documentation addresses are marked."""
    machine = {"provider": "Kitano Cloud", "instance_id": "i-042"}
    assert read("hosting_instance", **machine).normal_form() == {
        "type": "hosting_instance",
        "provider": "kitano cloud",
        "id": "i-042",
        "ip": None,
    }
    assert remarks("hosting_instance", **machine) == set()
    assert remarks("hosting_instance", **machine, ip="8.8.8.8") == {"may_not_resolve"}
    assert remarks("hosting_instance", **machine, ip="8.8.8.8", at="2026-11-21T10:00:00Z") == set()
    assert read("hosting_instance", **machine, ip="203.0.113.9").reserved_member() == "ip"
    assert read("hosting_instance", **machine, ip="8.8.8.8").reserved_member() is None
    assert fault_of("hosting_instance", **machine, ip="10.0.0.1") == "ip_not_global"


def test_person_compares_by_name_and_birth() -> None:
    """Case and blanks of a name do not tell persons apart; the day of birth does."""
    assert read("person", name="Kim  PARK", date_of_birth="1990-02-28").normal_form() == {
        "type": "person",
        "name": "kim park",
        "date_of_birth": "1990-02-28",
    }
    assert read("person", name="Kim Park").normal_form()["date_of_birth"] is None
    assert fault_of("person", name="Kim Park", date_of_birth="1990-02-30") == "bad_time"


def test_iban_is_checked() -> None:
    """Blanks are dropped; a wrong check digit, length or country is refused."""
    assert read("iban", value="de89 3704 0044 0532 0130 00").normal_form()["value"] == "DE89370400440532013000"
    assert remarks("iban", value="DE89370400440532013000") == {"financial_intelligence"}
    for text in ("DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000"):
        assert fault_of("iban", value=text) == "bad_iban"


def test_card_is_never_taken_whole() -> None:
    """Six first and four last digits; nothing takes the full number."""
    form = read("card_ref", first6="400000", last4="0002").normal_form()
    assert form == {"type": "card_ref", "first6": "400000", "last4": "0002"}
    assert remarks("card_ref", first6="400000", last4="0002") == {"financial_intelligence"}
    assert fault_of("card_ref", first6="4000000000000002", last4="0002") == "string_pattern_mismatch"
    assert fault_of("card_ref", first6="400000", last4="0002", number="4000000000000002") == "extra_forbidden"


def test_file_is_named_by_a_sound_digest() -> None:
    """SHA-256 and longer stand alone; MD5 and SHA-1 only beside one of them; lengths must fit."""
    assert read("file_hash", algorithm="SHA-256", value=SHA256.upper()).normal_form()["value"] == SHA256
    md5 = {"algorithm": "MD5", "value": "0" * 32}
    assert read("file_hash", algorithm="SHA-256", value=SHA256, secondary=[md5]).normal_form()["value"] == SHA256
    assert fault_of("file_hash", **md5) == "weak_hash"
    assert fault_of("file_hash", algorithm="SHA-512", value=SHA256) == "bad_hash"
    short = {"algorithm": "MD5", "value": "0" * 31}
    assert fault_of("file_hash", algorithm="SHA-256", value=SHA256, secondary=[short]) == "bad_hash"


def test_every_kind_is_in_the_union() -> None:
    """The list of kinds and the published union are the same."""
    union = AnyIdentifier.__origin__  # type: ignore[attr-defined]
    assert set(union.__args__) == set(KINDS)


def test_unknown_kind_is_refused() -> None:
    """A type that nobody defined is no identifier."""
    assert fault_of("shoe_size", value="42") == "union_tag_invalid"
