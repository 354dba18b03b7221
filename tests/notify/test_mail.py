"""Mail: plain text through the operator's server, encrypted where it must be, the same message however often."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.errors import SettingsUnusable
from app.notify.deliver import LEASE
from app.notify.faults import NotTaken, Trouble
from app.notify.letter import Letter
from app.notify.mail import send_mail
from app.notify.means import PATIENCE_S, MailServer, Tls, read_mail_server
from app.services.identifiers import new_id
from tests.notify.receiver import HERE, open_mailbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notify.receiver import Mailbox

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SENDER = "counterpart@desk.xt.example"


def letter(target: str = "chief@desk.xt.example") -> Letter:
    """Something to send."""
    return Letter(new_id(), target, "[EMERGENCY] XA-2026-7K3QF9D: acknowledgement", "Take it.\n\nDue: 18:00\n")


def plain(box: Mailbox) -> MailServer:
    """The server without encryption."""
    return MailServer(HERE, box.port, Tls.NONE, SENDER)


async def trouble(server: MailServer, one: Letter) -> Trouble | None:
    """Send it; what stood in the way."""
    try:
        await send_mail(server, one, now=NOW)
    except NotTaken as fault:
        return fault.trouble
    return None


async def test_a_mail_says_who_wrote_it_and_is_the_same_each_time(mailbox: Mailbox) -> None:
    """Plain text from the node to the mailbox, marked as automatic; a repetition has the same Message-ID."""
    one = letter()
    assert await trouble(plain(mailbox), one) is None
    assert await trouble(plain(mailbox), one) is None
    first, second = (message_from_string(came.content) for came in mailbox.came)
    assert (first["From"], first["To"], first["Auto-Submitted"]) == (SENDER, one.target, "auto-generated")
    assert first["Subject"] == one.title
    assert first.get_content_type() == "text/plain"
    assert str(first.get_payload()).replace("\r\n", "\n") == one.body
    assert first["Message-ID"] == second["Message-ID"] == f"<{one.id}@desk.xt.example>"


async def test_an_unknown_mailbox_is_final_and_a_busy_server_is_not(mailbox: Mailbox) -> None:
    """550 for the address will be the same tomorrow; 451 for the message will not."""
    mailbox.unknown = {"gone@desk.xt.example"}
    assert await trouble(plain(mailbox), letter("gone@desk.xt.example")) is Trouble.ADDRESS_REFUSED
    mailbox.busy = True
    assert await trouble(plain(mailbox), letter()) is Trouble.REFUSED
    assert mailbox.came == []


BREAKS_OUT = "[URGENT] =?utf-8?q?XB-1_=0d=0aBcc=3A_spy=40there.example=0d=0a=0d=0aOther_words?=: overdue"


async def test_a_reference_of_another_node_begins_no_header(mailbox: Mailbox) -> None:
    """A foreign reference that is an encoded word with line breaks stays one line of the subject."""
    assert await trouble(plain(mailbox), replace(letter(), title=BREAKS_OUT)) is None
    (came,) = mailbox.came
    mail = message_from_string(came.content)
    assert (mail["Bcc"], mail["To"]) == (None, letter().target)
    assert "spy" in mail["Subject"]
    assert str(mail.get_payload()).startswith("Take it.")


def test_control_the_library_lets_an_encoded_word_begin_headers() -> None:
    """Negative control: set as it is, the same title makes a header of its own when the mail is written."""
    mail = EmailMessage()
    mail["Subject"] = BREAKS_OUT
    assert message_from_string(mail.as_string())["Bcc"] == "spy@there.example"


@pytest.mark.parametrize(
    "target",
    [
        "one@desk.xt.example,two@desk.xt.example", "one@", "=?utf-8?q?a=0d=0ab?=@x.example", ":;?:@desk.xt.example",
        '.:%\x7f/"\xfc@desk.xt.example', "(\xe9[).@desk.xt.example",
    ],
)  # fmt: skip
async def test_an_address_is_one_address(mailbox: Mailbox, target: str) -> None:
    """What would go to two, or to nobody, goes nowhere, and is not tried again."""
    assert await trouble(plain(mailbox), letter(target)) is Trouble.ADDRESS_REFUSED
    assert mailbox.came == []


async def test_a_server_that_dawdles_is_given_up_on() -> None:
    """However it spreads its answers: the whole of it has a limit, which is shorter than the lease."""

    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"220-still here\r\n")
                await writer.drain()
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.02)
        writer.close()

    async with await asyncio.start_server(dawdle, HERE, 0) as server:
        port = server.sockets[0].getsockname()[1]
        slow = MailServer(HERE, port, Tls.NONE, SENDER, patience_s=0.2)
        assert await trouble(slow, letter()) is Trouble.TIMEOUT
    assert timedelta(seconds=PATIENCE_S) < LEASE


async def test_nobody_at_the_port_is_unreachable(mailbox: Mailbox) -> None:
    """The word an operator sees."""
    port = mailbox.port + 1 if mailbox.port < 65_000 else mailbox.port - 1
    assert await trouble(MailServer(HERE, port, Tls.NONE, SENDER), letter()) is Trouble.UNREACHABLE


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS with a certificate of its own, and a client's that trusts it."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, clear)
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem))
    return server, client


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_mail_is_encrypted_before_anybody_logs_in(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], tls: Tls
) -> None:
    """Both ways of TLS, with a password; a wrong password is a trouble of its own."""
    server, client = contexts
    starttls = server if tls is Tls.STARTTLS else None
    implicit = server if tls is Tls.IMPLICIT else None
    async with open_mailbox(starttls=starttls, implicit=implicit) as box:
        right = MailServer("localhost", box.port, tls, SENDER, "xt", "right horse", client)
        assert await trouble(right, letter()) is None
        wrong = MailServer("localhost", box.port, tls, SENDER, "xt", "wrong horse", client)
        assert await trouble(wrong, letter()) is Trouble.LOGIN_REFUSED
    assert [came.login for came in box.came] == ["xt"]


async def test_who_cannot_prove_who_they_are_gets_no_mail(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """A certificate that no authority of this machine signed, and a server that offers no encryption."""
    server, _ = contexts
    async with open_mailbox(starttls=server) as box:
        unknown = MailServer("localhost", box.port, Tls.STARTTLS, SENDER)
        assert await trouble(unknown, letter()) is Trouble.NOT_ENCRYPTED
    async with open_mailbox() as bare:
        stripped = MailServer(HERE, bare.port, Tls.STARTTLS, SENDER)
        assert await trouble(stripped, letter()) is Trouble.NOT_ENCRYPTED
    assert box.came == bare.came == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("smtps://mail.xt.example", ("mail.xt.example", 465, Tls.IMPLICIT, None, None)),
        ("smtp://desk:p%40ss@mail.xt.example:2525", ("mail.xt.example", 2525, Tls.STARTTLS, "desk", "p@ss")),
        ("smtp+plain://127.0.0.1", ("127.0.0.1", 25, Tls.NONE, None, None)),
        ("smtp+plain://localhost:2525", ("localhost", 2525, Tls.NONE, None, None)),
    ],
)
def test_the_address_of_a_mail_server(address: str, expected: tuple[str, int, Tls, str | None, str | None]) -> None:
    """Scheme, host, port, and who logs in; without TLS only to this machine."""
    found = read_mail_server(address, sender=SENDER, plain=False)
    assert (found.host, found.port, found.tls, found.user, found.password) == expected
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    "address",
    ["smtp+plain://mail.xt.example", "http://mail.xt.example", "smtps://", "smtps://mail.xt.example/box", "smtp://h:x"],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_address(address: str) -> None:
    """One sentence that names the setting; the address may hold a password."""
    with pytest.raises(SettingsUnusable) as refused:
        read_mail_server(address, sender=SENDER, plain=False)
    assert "COUNTERPART_SMTP_URL" in refused.value.detail
    assert "xt.example" not in refused.value.detail
    with pytest.raises(SettingsUnusable, match="MAIL_FROM"):
        read_mail_server("smtps://mail.xt.example", sender=None, plain=False)
