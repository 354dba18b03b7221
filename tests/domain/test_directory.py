"""The directory: every field of an entry is checked, and a key is found under its owner alone."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.codes import MessageType
from app.domain.directory import (
    Directory,
    KeyRecord,
    KeyStatus,
    KeyUse,
    load_directory,
    load_profile,
    publish_directory,
)
from app.domain.directory_codes import Network
from app.errors import SettingsUnusable
from app.services.effects import EFFECTS

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
EXAMPLES = Path(__file__).parents[2] / "app" / "data" / "contact_points"
AURELIA: dict[str, Any] = json.loads((EXAMPLES / "XA.json").read_text(encoding="utf-8"))
ABSENT = object()


def make_x(number: int) -> str:
    """The base64url form of a 32-byte key that differs by `number`."""
    return ("A" * 38 + f"{number:04d}")[:42] + "A"


def make_key(kid: str, use: str = "sig", *, number: int = 0, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A key record as JSON, active from yesterday for a year."""
    curve, alg = ("X25519", "ECDH-ES+A256KW") if use == "enc" else ("Ed25519", "Ed25519")
    record = {
        "kid": kid,
        "use": use,
        "alg": alg,
        "jwk": {"kty": "OKP", "crv": curve, "x": make_x(number)},
        "nbf": "2026-11-21T09:30:00Z",
        "exp": "2027-11-21T09:30:00Z",
        "status": "ACTIVE",
    }
    return {**record, **changes}


def make_document(*keys: dict[str, Any]) -> dict[str, Any]:
    """A directory with Aurelia in it, as JSON."""
    keys = keys or (make_key("XA-sig-2026a", number=1), make_key("XA-enc-2026a", "enc", number=2))
    point = {**deepcopy(AURELIA), "keys": list(keys)}
    return {"version": 41, "issued_at": "2026-11-20T00:00:00Z", "contact_points": [point]}


def change(document: dict[str, Any], pointer: str, value: object) -> str:
    """The document as text with the member at the JSON Pointer set, or removed by ABSENT."""
    *path, last = pointer.strip("/").split("/")
    place: Any = document
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is ABSENT:
        del place[int(last) if isinstance(place, list) else last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(document)


def complain(text: str) -> str:
    """The sentence with which the directory is refused."""
    with pytest.raises(SettingsUnusable) as caught:
        load_directory(text, source="directory.json")
    return caught.value.detail


@pytest.mark.parametrize("code", ["XA", "XT", "XS"])
def test_the_invented_contact_points_are_complete(code: str) -> None:
    """Each example entry is valid, reads what this release understands and no more, and belongs to the network."""
    profile = load_profile((EXAMPLES / f"{code}.json").read_text(encoding="utf-8"), source=code)

    assert profile.code == code
    assert set(profile.reads) == {type_ for type_ in MessageType if EFFECTS.understand(type_)}
    assert profile.is_member(Network.ETS185_35, on=date(2026, 11, 22))
    assert not profile.is_stale(NOW)


@pytest.mark.parametrize("code", ["XA", "XT", "XS"])
def test_the_invented_contact_points_reach_nobody(code: str) -> None:
    """Telephones are on the unassigned code 999 and mailboxes under .example, so no demo ever disturbs a person."""
    text = (EXAMPLES / f"{code}.json").read_text(encoding="utf-8")
    profile = load_profile(text, source=code)

    assert all(phone.number.startswith("+999") for phone in profile.phones)
    assert all(mail.address.endswith(".example") for mail in profile.emails)
    assert all(contact.email.endswith(".example") for contact in profile.escalation)
    assert text.count('"+') == text.count('"+999')


OPTIONAL = {"ask_for", "call_back_minutes", "fax", "node_endpoint", "data_retention_note"}


@pytest.mark.parametrize("name", sorted(set(AURELIA) - OPTIONAL))
def test_every_obligatory_field_is_demanded(name: str) -> None:
    """An entry without one of its obligatory fields is refused, and the sentence names the field."""
    sentence = complain(change(make_document(), f"/contact_points/0/{name}", ABSENT))

    assert f"/contact_points/0/{name}" in sentence


@pytest.mark.parametrize("name", sorted(OPTIONAL & set(AURELIA)))
def test_optional_fields_may_be_absent(name: str) -> None:
    """An entry is complete without fax, endpoint or retention note."""
    directory = load_directory(change(make_document(), f"/contact_points/0/{name}", ABSENT))

    assert directory.point("XA") is not None


P = "/contact_points/0"
WRONG: dict[str, tuple[str, object, str]] = {
    "a version below 1": ("/version", 0, "/version"),
    "a version that is a text": ("/version", "41", "/version"),
    "no contact points": ("/contact_points", [], "/contact_points"),
    "issued at a local time without zone": ("/issued_at", "2026-11-20T00:00:00", "/issued_at"),
    "issued at a number": ("/issued_at", 1795339800, "/issued_at"),
    "issued outside the calendar": ("/issued_at", "0001-01-01T00:00:00+14:00", "years 1 to 9999"),
    "issued at no time": ("/issued_at", "0001-01-01T00:00:00Z", "beginning of the calendar"),
    "a code in lower case": (f"{P}/code", "xa", f"{P}/code"),
    "a code with a short name": (f"{P}/code", "XA-B", f"{P}/code"),
    "a code with a line break": (f"{P}/code", "XA\n", f"{P}/code"),
    "another country than the code's": (f"{P}/country", "XT", "first two letters"),
    "a party of an unknown kind": (f"{P}/party_kind", "UNION", f"{P}/party_kind"),
    "an unknown network": (f"{P}/networks/0/network", "G8", f"{P}/networks/0/network"),
    "a network twice": (f"{P}/networks/1/network", "G7_24_7", "network is listed twice"),
    "a switchboard nobody can ask for": (f"{P}/contact_kind", "SWITCHBOARD", "needs ask_for"),
    "no phone": (f"{P}/phones", [], f"{P}/phones"),
    "a phone that is not E.164": (f"{P}/phones/0/number", "00999 555", f"{P}/phones/0/number"),
    "two phones of one priority": (f"{P}/phones/1/priority", 1, "same priority"),
    "no mailbox": (f"{P}/emails", [], f"{P}/emails"),
    "a mailbox without host": (f"{P}/emails/0/address", "duty@", f"{P}/emails/0/address"),
    "an endpoint without TLS": (f"{P}/node_endpoint/url", "http://node.example", f"{P}/node_endpoint/url"),
    "a language that is no tag": (f"{P}/languages/0/tag", "Français", f"{P}/languages/0/tag"),
    "a time zone that does not exist": (f"{P}/time_zone", "Europe/Port-Clair", "IANA"),
    "a time zone that is a path": (f"{P}/time_zone", "../etc/passwd", f"{P}/time_zone"),
    "a time zone that is a folder": (f"{P}/time_zone", "Europe", "IANA"),
    "a time zone that is that of the machine which reads": (f"{P}/time_zone", "localtime", "IANA"),
    "an interval that ends before it starts": (
        f"{P}/hours/staffed/0",
        {"days": ["MON"], "start": "22:00", "end": "06:00"},
        "a night is two intervals",
    ),
    "an hour that does not exist": (f"{P}/hours/staffed/0/start", "24:30", f"{P}/hours/staffed/0/start"),
    "an hour nobody covers": (f"{P}/hours/on_call/0/end", "06:00", "from MON 06:00 to MON 07:00"),
    "a Sunday night nobody covers": (f"{P}/hours/on_call/2/days", ["SAT"], "from SUN 00:00 to MON 00:00"),
    "an unknown capability": (f"{P}/capabilities/advice", "MAYBE", f"{P}/capabilities/advice"),
    "a capability left out": (f"{P}/capabilities/locate_suspect", ABSENT, f"{P}/capabilities/locate_suspect"),
    "a negative number of days": (
        f"{P}/preservation_power/default_days",
        -1,
        f"{P}/preservation_power/default_days",
    ),
    "a number of days as text": (
        f"{P}/preservation_power/default_days",
        "90",
        f"{P}/preservation_power/default_days",
    ),
    "confirmation required without a term": (f"{P}/requires_formal_confirmation/days", ABSENT, "days goes with"),
    "a declaration to an unknown instrument": (f"{P}/declarations/0/instrument", "ETS1", f"{P}/declarations/0"),
    "no central authority": (f"{P}/central_authorities", [], f"{P}/central_authorities"),
    "one step of escalation only": (f"{P}/escalation/1", ABSENT, f"{P}/escalation"),
    "a message type without version": (f"{P}/reads/0", "exchange.open", f"{P}/reads/0"),
    "no suite": (f"{P}/suites", [], f"{P}/suites"),
    "a review before the verification": (f"{P}/next_review_at", "2026-01-01T00:00:00Z", "next_review_at"),
    "a public entry": (f"{P}/visibility", "PUBLIC", f"{P}/visibility"),
    "a NUL in a text": (f"{P}/verified_by", "a\0b", f"{P}/verified_by"),
    "no keys": (f"{P}/keys", [], f"{P}/keys"),
    "no key to write to": (f"{P}/keys/1", ABSENT, "no key for use enc"),
    "no key to believe": (f"{P}/keys/0", ABSENT, "no key for use sig"),
    "a key id with a space": (f"{P}/keys/0/kid", "XA sig", f"{P}/keys/0/kid"),
    "a key too short": (f"{P}/keys/0/jwk/x", "A" * 42, "32-byte key"),
    "a key with loose bits": (f"{P}/keys/0/jwk/x", "A" * 42 + "B", "32-byte key"),
    "a key in the other alphabet": (f"{P}/keys/0/jwk/x", "+" * 42 + "A", "32-byte key"),
    "a key that is no base64": (f"{P}/keys/0/jwk/x", "é" * 43, "32-byte key"),
    "a signing key on the curve of the other kind": (f"{P}/keys/0/jwk/crv", "X25519", "crv Ed25519"),
    "an unknown algorithm": (f"{P}/keys/0/alg", "EdDSA", f"{P}/keys/0/alg"),
    "a key that ends before it begins": (f"{P}/keys/0/exp", "2026-11-21T09:30:00Z", "exp must lie after nbf"),
    "revoked without a date": (f"{P}/keys/0/status", "REVOKED", "goes with revoked_at"),
    "a reason without revocation": (f"{P}/keys/0/reason", "COMPROMISE", "goes with revoked_at"),
    "retired without a date": (f"{P}/keys/0/status", "RETIRED", "needs retired_at"),
    "a date of retirement for an active key": (f"{P}/keys/0/retired_at", "2026-12-01T00:00:00Z", "goes with status"),
    "an encryption key on standby": (f"{P}/keys/1/status", "STANDBY", "for signing keys"),
    "one id for two keys": (f"{P}/keys/1/kid", "XA-sig-2026a", "two keys have the id XA-sig-2026a"),
    "one key for two uses": (f"{P}/keys/1/jwk/x", make_x(1), "each key has one use"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_stops_the_start_with_one_sentence(case: str) -> None:
    """The sentence names the file, the place and what is wrong there."""
    pointer, value, expected = WRONG[case]

    sentence = complain(change(make_document(), pointer, value))

    assert sentence.startswith("directory.json")
    assert expected in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version":1,"version":2}', "[" * 100_000, '{"version": 1}', "\ufeff{}"]
)
def test_what_is_no_directory_is_refused(text: str) -> None:
    """Text that is not the document at all ends in a sentence, too."""
    assert complain(text).startswith("directory.json")


def test_the_code_of_a_contact_point_is_unique() -> None:
    """Two entries under one code are refused."""
    document = make_document()
    document["contact_points"].append(deepcopy(document["contact_points"][0]))

    assert "two contact points have the code XA" in complain(json.dumps(document))


def test_members_of_a_newer_issuer_are_passed_over() -> None:
    """A directory with members that are not known yet still loads, at every level."""
    document = make_document()
    document["signed_by"] = ["council"]
    document["contact_points"][0]["roster_url"] = "https://x.example"
    document["contact_points"][0]["keys"][0]["hardware"] = True

    assert load_directory(json.dumps(document)).version == 41


def test_a_misspelt_member_of_ones_own_entry_is_refused() -> None:
    """A state writing its own entry is told of a member that does not exist."""
    with pytest.raises(SettingsUnusable, match="/faxes"):
        load_profile(json.dumps({**AURELIA, "faxes": []}), source="XA.json")


def test_a_profile_that_is_no_json_is_refused() -> None:
    """A broken entry ends in a sentence that names its file."""
    with pytest.raises(SettingsUnusable, match=r"XA\.json is not the JSON we read"):
        load_profile("{", source="XA.json")


def load(*keys: dict[str, Any]) -> Directory:
    """A directory in which Aurelia has these keys besides one to sign and one to write to."""
    more = (make_key("XA-sig-2026a", number=1), make_key("XA-enc-2026a", "enc", number=2), *keys)
    return load_directory(json.dumps(make_document(*more)))


def test_a_signing_key_is_found_under_its_owner_alone() -> None:
    """The same key id under another contact point, or a key for another use, is not found."""
    directory = load()

    assert directory.signing_key("XA", "XA-sig-2026a") is not None
    assert directory.signing_key("XT", "XA-sig-2026a") is None
    assert directory.signing_key("XA", "XA-enc-2026a") is None
    assert directory.point("XT") is None


def test_a_retired_or_revoked_signing_key_is_still_found() -> None:
    """Old texts stay verifiable: the dates of the record decide, not its absence."""
    revoked = {"status": "REVOKED", "revoked_at": "2026-11-22T00:00:00Z", "reason": "COMPROMISE"}
    record = load(make_key("XA-sig-2025a", number=3, **revoked)).signing_key("XA", "XA-sig-2025a")

    assert record is not None
    assert (record.status, record.revoked_at) == (KeyStatus.REVOKED, datetime(2026, 11, 22, tzinfo=UTC))


ENC_KEYS: dict[str, tuple[dict[str, Any], str]] = {
    "a newer valid key is taken": ({"nbf": "2026-11-22T09:30:00Z"}, "XA-enc-2026b"),
    "a key of the future waits": ({"nbf": "2026-11-22T09:30:01Z"}, "XA-enc-2026a"),
    "an ended key is passed over": (
        {"nbf": "2026-11-22T00:00:00Z", "exp": "2026-11-22T09:30:00Z"},
        "XA-enc-2026a",
    ),
    "a retired key is passed over": (
        {"nbf": "2026-11-22T00:00:00Z", "status": "RETIRED", "retired_at": "2026-11-22T09:30:00Z"},
        "XA-enc-2026a",
    ),
    "a key that retires later is still used": (
        {"nbf": "2026-11-22T00:00:00Z", "status": "RETIRED", "retired_at": "2026-11-22T09:30:01Z"},
        "XA-enc-2026b",
    ),
    "a key revoked as of tomorrow is not used today": (
        {
            "nbf": "2026-11-22T00:00:00Z",
            "status": "REVOKED",
            "revoked_at": "2026-11-23T00:00:00Z",
            "reason": "ROTATION",
        },
        "XA-enc-2026a",
    ),
}


@pytest.mark.parametrize("case", ENC_KEYS)
def test_a_letter_is_closed_with_the_newest_key_that_is_valid(case: str) -> None:
    """Among the encryption keys of a contact point the newest usable one is taken."""
    dates, expected = ENC_KEYS[case]

    key = load(make_key("XA-enc-2026b", "enc", number=3, **dates)).encryption_key("XA", NOW)

    assert key is not None
    assert key.kid == expected


def test_there_may_be_no_key_to_close_a_letter_with() -> None:
    """An unknown contact point, or one whose keys have all ended, has none; nothing is guessed."""
    directory = load()

    assert directory.encryption_key("XQ", NOW) is None
    assert directory.encryption_key("XA", NOW + 400 * DAY) is None


def test_log_and_witness_keys_are_kept_apart() -> None:
    """The key of a log and that of a witness are found by their use, and are no envelope keys."""
    directory = load(make_key("XA-log-2026a", "log", number=3), make_key("XA-wit-2026a", "wit", number=4))
    log, witness = directory.log_key("XA", NOW), directory.witness_key("XA", NOW)

    assert log is not None
    assert witness is not None
    assert (log.kid, witness.kid) == ("XA-log-2026a", "XA-wit-2026a")
    assert directory.signing_key("XA", "XA-log-2026a") is None


def test_public_bytes_are_those_of_the_jwk() -> None:
    """A record gives its key as 32 bytes."""
    key = load().encryption_key("XA", NOW)

    assert key is not None
    assert len(key.public) == 32


def test_publishing_puts_profiles_and_keys_together() -> None:
    """Assembled from its parts, written and read back, a directory is the same."""
    profile = load_profile(json.dumps(AURELIA), source="XA")
    keys = [
        KeyRecord.model_validate_json(json.dumps(key))
        for key in (make_key("XA-sig-2026a", number=1), make_key("XA-enc-2026a", "enc", number=2))
    ]

    directory = publish_directory([profile], {"XA": keys}, version=3, issued_at=NOW)

    assert load_directory(directory.model_dump_json()) == directory
    assert {key.use for key in directory.contact_points[0].keys} == {KeyUse.SIG, KeyUse.ENC}


def test_publishing_without_keys_is_refused() -> None:
    """A contact point that nobody could believe or write to does not enter the directory."""
    profile = load_profile(json.dumps(AURELIA), source="XA")

    with pytest.raises(SettingsUnusable, match="/keys"):
        publish_directory([profile], {}, version=3, issued_at=NOW)


def test_membership_counts_from_its_first_to_its_last_day() -> None:
    """Both days belong to it; without last day it goes on."""
    document = make_document()
    document["contact_points"][0]["networks"] = [{"network": "UNCC_41", "since": "2026-01-02", "until": "2026-01-04"}]
    point = load_directory(json.dumps(document)).point("XA")

    assert point is not None
    days = [point.is_member(Network.UNCC_41, on=date(2026, 1, day)) for day in range(1, 6)]
    assert days == [False, True, True, True, False]
    assert not point.is_member(Network.G7_24_7, on=date(2026, 1, 3))


def test_an_entry_becomes_stale_after_180_days() -> None:
    """Verified 180 days ago is fresh; a moment more is not."""
    point = load().point("XA")

    assert point is not None
    assert not point.is_stale(point.last_verified_at + 180 * DAY)
    assert point.is_stale(point.last_verified_at + 180 * DAY + timedelta(microseconds=1))
