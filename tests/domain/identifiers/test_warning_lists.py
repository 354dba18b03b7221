"""Values that name nobody or too many: the lists that come along, an operator's own, and what a document shows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.documents import check_document
from app.domain.instruments import packaged_law
from app.domain.law import WarningLists, read_warning_list
from app.domain.law.warning_lists import Watched
from app.errors import SettingsUnusable
from app.keystore.law import read_law_folder
from tests.domain.documents.filing import ABSENT, KNOWN, NOW, preservation
from tests.domain.identifiers.reading import read

if TYPE_CHECKING:
    from pathlib import Path

LISTS = packaged_law().warning_lists
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
FLOW = {
    "type": "ip_flow",
    "source_ip": "93.184.216.34",
    "source_port": 40000,
    "destination_ip": "10.0.0.5",
    "destination_port": 443,
    "protocol": "tcp",
    "at": "2026-11-20T10:00:00Z",
}
OWN = """
list: our_own
version: "1"
dated: 2026-11-20
source: the desk
why: This is our own proxy.
matches: address
entries: [203.0.113.0/24]
"""

HITS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a public resolver": ({"type": "ipv4", "value": "8.8.8.8"}, ["public_resolvers"]),
    "a public resolver in IPv6, written out": (
        {"type": "ipv6", "value": "2620:00fe:0:0:0:0:0:fe"},
        ["public_resolvers"],
    ),
    "a public resolver as a mapped address": ({"type": "ipv6", "value": "::ffff:9.9.9.9"}, ["public_resolvers"]),
    "a small network with a public resolver in it": ({"type": "cidr", "value": "9.9.9.0/24"}, ["public_resolvers"]),
    "a root name server": ({"type": "ipv4", "value": "193.0.14.129"}, ["root_name_servers"]),
    "an address of a delivery network": ({"type": "ipv4", "value": "104.16.133.229"}, ["delivery_networks"]),
    "a page at such an address": ({"type": "url", "value": "https://104.16.133.229/x"}, ["delivery_networks"]),
    "a mail domain that everybody uses": ({"type": "domain", "value": "GMail.com."}, ["public_mail_domains"]),
    "a mailbox under it is one mailbox": ({"type": "email", "value": "kim@gmail.com"}, []),
    "a shortened link": ({"type": "url", "value": "https://bit.ly/3abc"}, ["link_shorteners"]),
    "a customer of a platform": ({"type": "domain", "value": "kim.github.io"}, ["shared_hosting"]),
    "a name that only ends alike": ({"type": "domain", "value": "notgithub.io"}, []),
    "a hidden service": ({"type": "domain", "value": f"{'a' * 51}m2dqd.onion"}, ["anonymisers"]),
    "an empty file": ({"type": "file_hash", "algorithm": "SHA-256", "value": EMPTY.upper()}, ["empty_files"]),
    "the number in the manual": ({"type": "imei", "value": "490154203237518"}, ["test_imeis"]),
    "a number kept for tests": ({"type": "imei", "value": "00101234567891"}, ["test_imeis"]),
    "an ordinary line": ({"type": "ipv4", "value": "93.184.216.34"}, []),
}


@pytest.mark.parametrize("name", HITS)
def test_value_is_found_on_its_list_however_it_is_written(name: str) -> None:
    """The normal form is looked up, in the lists that are meant for this type of identifier."""
    members, expected = HITS[name]
    identifier = read(members["type"], **{key: value for key, value in members.items() if key != "type"})
    watched = [hit for _, kind, value in identifier.watched() for hit in LISTS.hits(kind, value, type=members["type"])]
    assert [hit.list for hit in watched] == expected


def warned(*changes: tuple[str, object], lists: WarningLists = LISTS) -> list[tuple[str, str | None, str]]:
    """Pointer, list and reason of the warnings about lists."""
    law = replace(packaged_law(), warning_lists=lists)
    checked = check_document(preservation(*changes), requesting="XA", known=KNOWN, now=NOW, law=law)
    assert checked.errors == ()
    return [(one.pointer, one.list, one.detail) for one in checked.warnings if one.code == "on_warning_list"]


def test_document_with_such_a_value_is_taken_with_a_warning() -> None:
    """The warning names the member, the list and why; without the lists the same document carries none."""
    change = ("/targets/0/identifier/value", "8.8.8.8")
    ((pointer, named, why),) = warned(change)
    assert (pointer, named) == ("/targets/0/identifier/value", "public_resolvers")
    assert "nobody's line" in why
    assert warned(change, lists=WarningLists()) == []
    assert warned() == []


def test_destination_that_is_not_routed_is_warned_of() -> None:
    """A log written behind a translator shows a private destination: only there are such addresses taken at all."""
    observed = ("/targets/0/observations/0/destination_ip", "192.168.1.10")
    assert [found[:2] for found in warned(observed)] == [(observed[0], "bogons")]
    flow = (("/targets/0/identifier", FLOW), ("/targets/0/observations", ABSENT))
    assert [found[:2] for found in warned(*flow)] == [("/targets/0/identifier/destination_ip", "bogons")]


def test_second_digest_of_an_empty_file_is_found() -> None:
    """A colliding digest stands beside the better one and is looked at as well."""
    identifier = {
        "type": "file_hash",
        "algorithm": "SHA-256",
        "value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "secondary": [{"algorithm": "MD5", "value": "d41d8cd98f00b204e9800998ecf8427e"}],
    }
    found = warned(("/targets/0/identifier", identifier))
    assert [pointer for pointer, _, _ in found] == ["/targets/0/identifier/secondary/0/value"]


def test_operator_adds_lists_and_replaces_ours_by_name(tmp_path: Path) -> None:
    """A file of the folder `warning_lists` beside the law stands with ours; under a name of ours, in its place."""
    with resources.as_file(resources.files("app").joinpath("data/law")) as packaged:
        shutil.copytree(packaged, tmp_path / "law")
    own = tmp_path / "law" / "warning_lists"
    own.mkdir()
    assert len(read_law_folder(tmp_path / "law").warning_lists.lists) == len(LISTS.lists)
    (own / "own.yaml").write_text(OWN)
    (own / "resolvers.yaml").write_text(OWN.replace("our_own", "public_resolvers"))
    lists = read_law_folder(tmp_path / "law").warning_lists
    assert len(lists.lists) == len(LISTS.lists) + 1
    found = [hit.list for hit in lists.hits(Watched.ADDRESS, "203.0.113.9", type="ipv4")]
    assert sorted(found) == ["our_own", "public_resolvers"]
    assert list(lists.hits(Watched.ADDRESS, "8.8.8.8", type="ipv4")) == []


BROKEN = {
    "an entry of another kind": (OWN.replace("203.0.113.0/24", "shop.example"), 8, "entry 1 is no address"),
    "a network with host bits": (OWN.replace("203.0.113.0/24", "203.0.113.7/24"), 8, "entry 1"),
    "a member there is not": (OWN + "whence: there\n", 9, "whence"),
    "no version": (OWN.replace('version: "1"\n', ""), 1, "version"),
    "no YAML": (OWN + "entries: ]\n", 9, "not YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_list_that_cannot_be_used_stops_the_start_with_its_place(name: str) -> None:
    """The one sentence names the file, the line as near as can be told, and the reason."""
    text, line, reason = BROKEN[name]
    with pytest.raises(SettingsUnusable) as refused:
        read_warning_list("own.yaml", text.lstrip())
    assert refused.value.detail.startswith("own.yaml, line ")
    assert reason in refused.value.detail
    assert refused.value.extra["line"] <= line


def test_every_packaged_list_says_whence_and_why() -> None:
    """Each list carries its version, its date and a source, and no name twice."""
    names = [each.list for each in LISTS.lists]
    assert len(set(names)) == len(names) >= 10
    for each in LISTS.lists:
        assert each.source
        assert each.why.endswith(".")
        assert len(set(each.entries)) == len(each.entries)
