"""Names of the internet."""

from __future__ import annotations

import pytest

from tests.domain.identifiers.reading import fault_of, normal, read, remarks

ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"

DOMAINS = {
    "letters of any case": ("ShOp.Example.ORG.", "shop.example.org"),
    "the sharp s, which the older standard loses": ("faß.de", "xn--fa-hia.de"),
    "an umlaut": ("bücher.de", "xn--bcher-kva.de"),
    "an A-label": ("xn--bcher-kva.de", "xn--bcher-kva.de"),
    "Japanese with its own full stop": ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    "a name under a public suffix": ("shop.co.uk", "shop.co.uk"),
}
BAD_DOMAINS = {
    "a single label": ("localname", "bad_domain"),
    "a public suffix": ("co.uk", "bad_domain"),
    "an internet address": ("8.8.8.8", "bad_domain"),
    "an internet address in full-width digits": ("８.8.8.8", "bad_domain"),
    "an old notation of an address": ("127.1", "bad_domain"),
    "a hexadecimal notation of an address": ("shop.0x7f000001", "bad_domain"),
    "a label too long": ("a" * 64 + ".de", "bad_domain"),
    "a name too long": (".".join(["a" * 60] * 4) + ".example.de", "bad_domain"),
    "an empty label": ("shop..de", "bad_domain"),
    "a sign that names have not": ("sh op.de", "bad_domain"),
    "a symbol": ("☃.net", "bad_domain"),
    "a false A-label": ("xn--zzzzzz.com", "bad_domain"),
    "a name that is not public": ("printer.local", "domain_not_public"),
    "this machine": ("www.localhost", "domain_not_public"),
}


@pytest.mark.parametrize(("text", "expected"), DOMAINS.values(), ids=DOMAINS.keys())
def test_domain_has_one_normal_form(text: str, expected: str) -> None:
    """A-labels of IDNA 2008, lower case, no final dot."""
    assert normal("domain", value=text) == expected


def test_the_built_in_codec_would_name_another_domain() -> None:
    """Control: Python's own codec turns faß.de into the domain of somebody else."""
    assert "faß.de".encode("idna") == b"fass.de"


@pytest.mark.parametrize(("text", "code"), BAD_DOMAINS.values(), ids=BAD_DOMAINS.keys())
def test_other_names_are_refused(text: str, code: str) -> None:
    """What names nobody's domain, or a machine by its number, is refused."""
    assert fault_of("domain", value=text) == code


def test_reserved_domains_are_marked() -> None:
    """Names kept for examples are for tests."""
    assert read("domain", value="shop.example.com").reserved_member() == "value"
    assert read("domain", value="shop.test").reserved_member() == "value"
    assert read("domain", value="example.de").reserved_member() is None


def test_onion_name_says_nothing_of_a_place() -> None:
    """An onion service is a name like any other, with a remark."""
    assert remarks("domain", value=ONION) == {"location_unknown"}
    assert remarks("url", value=f"http://{ONION}/a") == remarks("email", value=f"kim@{ONION}") == {"location_unknown"}
    assert remarks("domain", value="kitano-shop.de") == set()


def test_misread_onion_name_is_noticed() -> None:
    """The checksum of an onion name tells a misread sign; an old name has none, and other lengths do not exist."""
    assert fault_of("domain", value=f"www.{ONION}") == fault_of("domain", value="expyuzz4wqqyqhjn.onion") == ""
    for wrong in (
        ONION.replace("duck", "dukc"),
        ONION.replace("ad.onion", "aa.onion"),
        "shop.onion",
        "1" * 56 + ".onion",
    ):
        assert fault_of("domain", value=wrong) == "bad_domain"


URLS = {
    "the usual port and no path": ("https://shop.de:443", "https://shop.de/"),
    "the usual port of the other scheme": ("http://shop.de:443/", "http://shop.de:443/"),
    "a mapped address as host": ("http://[::ffff:8.8.8.8]/x", "http://8.8.8.8/x"),
    "a host in capitals": ("https://WWW.Shop.DE/Path?q=1#Frag", "https://www.shop.de/Path?q=1#Frag"),
    "a port": ("http://shop.de:8080/", "http://shop.de:8080/"),
    "an international host": ("https://bücher.de/a", "https://xn--bcher-kva.de/a"),
    "an address as host": ("http://8.8.8.8/x", "http://8.8.8.8/x"),
    "an IPv6 address as host": ("http://[2A00:1450::1]:81/x", "http://[2a00:1450::1]:81/x"),
}
BAD_URLS = {
    "another scheme": ("ftp://shop.de/", "bad_url"),
    "no scheme": ("shop.de/a", "bad_url"),
    "a script": ("javascript:alert(1)", "bad_url"),
    "no host": ("https:///a", "bad_url"),
    "a blank": ("https://shop.de/a b", "bad_url"),
    "a tab that parsers drop": ("https://shop\t.de/", "bad_url"),
    "a backslash": ("https://shop.de\\@evil.de/", "bad_url"),
    "an impossible port": ("https://shop.de:99999/", "bad_url"),
    "port zero": ("https://shop.de:0/", "bad_url"),
    "a broken IPv6 address": ("https://[2a00::1/", "bad_url"),
    "a private host": ("http://192.168.0.1/admin", "ip_not_global"),
    "a private IPv6 host": ("http://[fe80::1]/", "ip_not_global"),
    "this machine": ("http://localhost/", "bad_domain"),
    "a zone": ("http://[fe80::1%25eth0]/", "bad_ip"),
}


@pytest.mark.parametrize(("text", "expected"), URLS.values(), ids=URLS.keys())
def test_url_has_one_normal_form(text: str, expected: str) -> None:
    """The host is normalised; path, query and fragment stay."""
    assert normal("url", value=text) == expected


@pytest.mark.parametrize(("text", "code"), BAD_URLS.values(), ids=BAD_URLS.keys())
def test_other_addresses_of_pages_are_refused(text: str, code: str) -> None:
    """Other schemes, hosts nobody else can reach, and texts that parsers disagree on."""
    assert fault_of("url", value=text) == code


def test_password_in_a_url_is_taken_out_and_the_user_stays() -> None:
    """The password is neither kept nor in the normal form; a user name alone is left."""
    url = read("url", value="https://user:secret@shop.de:81/a")
    assert url.redacted() == {"value": "https://user@shop.de:81/a"}
    assert url.normal_form()["value"] == "https://shop.de:81/a"
    assert {remark.code for remark in url.remarks()} == {"password_removed"}
    assert read("url", value="https://user@shop.de/").redacted() == {}
    assert remarks("url", value="https://user@shop.de/") == set()


def test_reserved_hosts_of_urls_are_marked() -> None:
    """A page on a documentation host or address is for tests."""
    assert read("url", value="https://www.example.com/").reserved_member() == "value"
    assert read("url", value="https://203.0.113.5/").reserved_member() == "value"
    assert read("url", value="https://shop.de/").reserved_member() is None


MAILBOXES = {
    "the local part as given, the domain lowered": ("A.B+C@Shop.DE", "A.B+C@shop.de"),
    "an international domain": ("info@bücher.de", "info@xn--bcher-kva.de"),
    "an international local part": ("güven@shop.de", "güven@shop.de"),
    "quotes that are needed": ('"kim p"@shop.de', '"kim p"@shop.de'),
    "an at sign in quotes": ('"kim@home"@shop.de', '"kim@home"@shop.de'),
    "quotes and escapes that are not needed": ('"k\\im"@shop.de', "kim@shop.de"),
    "a quote inside quotes": ('"k\\"p"@shop.de', '"k\\"p"@shop.de'),
}
BAD_MAILBOXES = {
    "a display name": "Kim <kim@shop.de>",
    "a comment": "kim(home)@shop.de",
    "a display name in quotes": '"Kim P" <kim@shop.de>',
    "a quote that does not end": '"kim p@shop.de',
    "quotes around a part": 'kim."p"@shop.de',
    "two at signs": "kim@home@shop.de",
    "no local part": "@shop.de",
    "no domain": "kim.shop.de",
    "a dot at the end": "kim.@shop.de",
    "two dots": "kim..p@shop.de",
    "a blank": "kim p@shop.de",
    "a local part too long": "k" * 65 + "@shop.de",
    "an address for a domain": "kim@[192.0.2.1]",
}


@pytest.mark.parametrize(("text", "expected"), MAILBOXES.values(), ids=MAILBOXES.keys())
def test_mailbox_has_one_normal_form(text: str, expected: str) -> None:
    """Dots and plus signs are left alone; the fingerprint is the lower-cased copy."""
    form = read("email", value=text).normal_form()
    assert (form["value"], form["fingerprint"]) == (expected, expected.lower())


@pytest.mark.parametrize("text", BAD_MAILBOXES.values(), ids=BAD_MAILBOXES.keys())
def test_other_mailboxes_are_refused(text: str) -> None:
    """One mailbox, plainly written."""
    assert fault_of("email", value=text) in {"bad_email", "bad_domain"}


def test_reserved_mailboxes_are_marked() -> None:
    """A mailbox under a documentation domain is for tests."""
    assert read("email", value="kim@mail.example").reserved_member() == "value"
    assert read("email", value="kim@shop.de").reserved_member() is None


def test_message_id_is_written_as_in_the_header() -> None:
    """Angle brackets, one at sign, ASCII."""
    assert normal("message_id", value="<20261121.1@mail.shop.de>", received_at="2026-11-21T22:00:00Z") == (
        "<20261121.1@mail.shop.de>"
    )
    for text in ("20261121.1@mail.shop.de", "<a@b@c>", "<ä@b>", "<a b@c>", "<a@b>\n"):
        assert fault_of("message_id", value=text) == "bad_message_id"
