"""Telephone lines and the things that use them: numbers, handsets, cards, network interfaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from stdnum import imsi as imsi_numbers
from stdnum import luhn

from app.domain.identifiers.base import Identifier, Remark
from app.domain.law.warning_lists import Watched
from app.domain.shape import fault

if TYPE_CHECKING:
    from collections.abc import Iterator

IMEI_WITHOUT_CHECK = 14
IMEI = 15
IMEISV = 16
_TEST_NETWORKS = ("001", "999")
"""Mobile country codes of test networks."""
_NEVER_ASSIGNED = "+999"
"""A country calling code kept back by the ITU: numbers below it belong to nobody."""
_E164 = r"^\+[1-9][0-9]{7,14}$"
_MAC = re.compile(r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{12}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_MULTICAST = 0x01
_LOCALLY_ADMINISTERED = 0x02

_Digits = Annotated[str, StringConstraints(max_length=25, pattern=r"^[0-9]+$")]


def _phone(text: str) -> str:
    written = re.fullmatch(_E164, text) is not None
    if not written or (not text.startswith(_NEVER_ASSIGNED) and _parsed(text) is None):
        raise fault("bad_phone", "There can be no such number: write it in full, with + and the country code.")
    return text


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def _imei(text: str) -> str:
    if len(text) not in {IMEI_WITHOUT_CHECK, IMEI, IMEISV}:
        raise fault("bad_imei", "An IMEI has 15 digits (14 without its check digit, 16 with a software version).")
    if len(text) == IMEI and not luhn.is_valid(text):
        raise fault("bad_imei", "The check digit is wrong: one of the digits was misread.")
    return text


def _imsi(text: str) -> str:
    if not imsi_numbers.is_valid(text):
        raise fault("bad_imsi", "An IMSI has 14 or 15 digits and begins with the code of an existing country.")
    return text


def _iccid(text: str) -> str:
    if not 18 <= len(text) <= 20 or not text.startswith("89") or not luhn.is_valid(text):  # noqa: PLR2004 - lengths of ITU-T E.118 cards
        raise fault("bad_iccid", "A card number has 18 to 20 digits, begins with 89 and ends with a right check digit.")
    return text


def _mac(text: str) -> str:
    if _MAC.fullmatch(text.lower()) is None:
        raise fault("bad_mac", "Write twelve hexadecimal digits.")
    if _first_octet(text) & _MULTICAST:
        raise fault("bad_mac", "A broadcast or multicast address belongs to no single device.")
    return text


def _first_octet(text: str) -> int:
    return int(text[:2], 16)


class Phone(Identifier):
    """A telephone number in international form."""

    type: Literal["phone"]
    value: Annotated[
        str,
        StringConstraints(max_length=40),
        AfterValidator(_phone),
        WithJsonSchema({"type": "string", "pattern": _E164}),
    ]

    def normal_form(self) -> dict[str, Any]:
        number = None if self.value.startswith(_NEVER_ASSIGNED) else _parsed(self.value)
        full = self.value if number is None else phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return {"type": "phone", "value": full}

    def remarks(self) -> Iterator[Remark]:
        number = _parsed(self.value)
        if number is not None and not phonenumbers.is_valid_number(number):
            yield Remark("value", "phone_not_assigned", "No such range is known to be assigned; check the number.")
        if self.normal_form()["value"] != self.value:
            detail = "The digit that is dialled at home before the number was left out; check the number."
            yield Remark("value", "phone_trunk_prefix", detail)

    def reserved_member(self) -> str | None:
        return "value" if self.value.startswith(_NEVER_ASSIGNED) else None


class Imei(Identifier):
    """A handset."""

    type: Literal["imei"]
    value: Annotated[_Digits, AfterValidator(_imei)]

    def normal_form(self) -> dict[str, Any]:
        body = self.value[:IMEI_WITHOUT_CHECK]
        form = {"type": "imei", "value": body + luhn.calc_check_digit(body)}
        return {**form, "imeisv": self.value} if len(self.value) == IMEISV else form

    def compared_form(self) -> dict[str, Any]:
        return {"type": "imei", "value": self.normal_form()["value"]}

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.IMEI, self.normal_form()["value"]

    def remarks(self) -> Iterator[Remark]:
        if len(self.value) != IMEI:
            yield Remark(
                "value", "check_digit_computed", "No check digit was given: a misread digit cannot be noticed."
            )


class Imsi(Identifier):
    """A subscription of a mobile network."""

    type: Literal["imsi"]
    value: Annotated[_Digits, AfterValidator(_imsi)]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "imsi", "value": self.value}

    def reserved_member(self) -> str | None:
        return "value" if self.value.startswith(_TEST_NETWORKS) else None


class Iccid(Identifier):
    """A SIM card."""

    type: Literal["iccid"]
    value: Annotated[_Digits, AfterValidator(_iccid)]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "iccid", "value": self.value}


class Mac(Identifier):
    """A network interface."""

    type: Literal["mac"]
    value: Annotated[str, StringConstraints(max_length=17), AfterValidator(_mac)]

    def normal_form(self) -> dict[str, Any]:
        digits = re.sub(r"[^0-9a-f]", "", self.value.lower())
        return {"type": "mac", "value": ":".join(digits[place : place + 2] for place in range(0, 12, 2))}

    def remarks(self) -> Iterator[Remark]:
        if _first_octet(self.value) & _LOCALLY_ADMINISTERED:
            yield Remark("value", "mac_randomised", "Devices invent such addresses; it may never have been used again.")
