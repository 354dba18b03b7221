"""Telephone numbers, handsets, cards and network interfaces."""

from __future__ import annotations

import pytest

from tests.domain.identifiers.reading import fault_of, normal, read, remarks


@pytest.mark.parametrize("text", ["+390600000000", "+442079460018", "+81312345678", "+99900555017"])
def test_number_in_full_is_taken(text: str) -> None:
    """E.164 numbers of real plans, and of the range nobody is given."""
    assert normal("phone", value=text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0600000000", "bad_phone"),
        ("+39 06 0000", "bad_phone"),
        ("+0390600000", "bad_phone"),
        ("+3906", "bad_phone"),
        ("+390600000000\n", "bad_phone"),
        ("+٣٩0600000000", "bad_phone"),
        ("+1415555010", "bad_phone"),
        ("+8881234567", "bad_phone"),
        ("+21012345678", "bad_phone"),
    ],
)
def test_number_that_cannot_be_is_refused(text: str, code: str) -> None:
    """National forms, blanks, impossible lengths and country codes that do not exist."""
    assert fault_of("phone", value=text) == code


def test_unassigned_and_reserved_numbers_are_pointed_out() -> None:
    """A possible number in no known range gets a remark; +999 belongs to nobody."""
    assert remarks("phone", value="+442999999999") == {"phone_not_assigned"}
    assert remarks("phone", value="+442079460018") == set()
    assert remarks("phone", value="+99900555017") == set()
    assert read("phone", value="+99900555017").reserved_member() == "value"
    assert read("phone", value="+442079460018").reserved_member() is None


def test_digit_dialled_at_home_is_left_out() -> None:
    """A number with the national 0 inside is the same line as without it; where the 0 belongs to it, it stays."""
    assert normal("phone", value="+330612345678") == normal("phone", value="+33612345678") == "+33612345678"
    assert remarks("phone", value="+330612345678") == {"phone_trunk_prefix"}
    assert remarks("phone", value="+33612345678") == set()
    assert normal("phone", value="+390612345678") == "+390612345678"


def test_imei_is_checked_and_completed() -> None:
    """Fifteen digits with their check digit; fourteen get theirs computed; sixteen keep the software version."""
    assert normal("imei", value="490154203237518") == "490154203237518"
    assert normal("imei", value="49015420323751") == "490154203237518"
    assert read("imei", value="4901542032375112").normal_form() == {
        "type": "imei",
        "value": "490154203237518",
        "imeisv": "4901542032375112",
    }
    assert remarks("imei", value="490154203237518") == set()
    assert remarks("imei", value="49015420323751") == {"check_digit_computed"}


@pytest.mark.parametrize("text", ["490154203237519", "4901542032375", "49015420323751234"])
def test_wrong_imei_is_refused(text: str) -> None:
    """A wrong check digit or a wrong length is a misreading."""
    assert fault_of("imei", value=text) == "bad_imei"


def test_every_single_wrong_digit_of_an_imei_is_noticed() -> None:
    """Exhaustively: the check digit tells every misread digit."""
    right = "490154203237518"
    for place, digit in enumerate(right):
        for other in set("0123456789") - {digit}:
            assert fault_of("imei", value=right[:place] + other + right[place + 1 :]) == "bad_imei"


def test_imsi_belongs_to_a_country() -> None:
    """Fourteen or fifteen digits under a mobile country code that exists; test networks are marked."""
    assert normal("imsi", value="262019876543210") == "262019876543210"
    assert read("imsi", value="001010123456789").reserved_member() == "value"
    assert read("imsi", value="262019876543210").reserved_member() is None
    for text in ("2620198765432", "2620198765432101", "000019876543210"):
        assert fault_of("imsi", value=text) == "bad_imsi"


def test_iccid_is_checked() -> None:
    """A card number begins with 89 and ends with the right check digit."""
    assert normal("iccid", value="8991101200003204514") == "8991101200003204514"
    for text in ("8991101200003204515", "7991101200003204514", "89911012000032045", "899110120000320451400"):
        assert fault_of("iccid", value=text) == "bad_iccid"


@pytest.mark.parametrize("text", ["3C:22:FB:00:11:22", "3c-22-fb-00-11-22", "3c22.fb00.1122", "3C22FB001122"])
def test_mac_has_one_normal_form(text: str) -> None:
    """Every usual notation of an interface is the same interface."""
    assert normal("mac", value=text) == "3c:22:fb:00:11:22"


@pytest.mark.parametrize(
    "text", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "3c:22:fb:00:11", "3c:22-fb:00:11:22", "3c:22:fb:00:11:2g", ""]
)
def test_wrong_mac_is_refused(text: str) -> None:
    """Broadcast, multicast, mixed notations and wrong lengths."""
    assert fault_of("mac", value=text) == "bad_mac"


def test_invented_mac_is_pointed_out() -> None:
    """A locally administered address may never be seen again."""
    assert remarks("mac", value="02:00:5e:10:00:01") == {"mac_randomised"}
    assert remarks("mac", value="3c:22:fb:00:11:22") == set()
