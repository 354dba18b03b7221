"""Names, patterns and definitions of the broker: pure data, no broker needed."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from itertools import count

import pytest

from app.bus import definitions, topology
from app.bus.connection import Access
from app.bus.definitions import Administrator, make_definitions, open_accounts
from app.bus.topology import NotAContactPoint, Queues
from app.domain.codes import Lane
from app.errors import SettingsUnusable

CODES = ("XA", "XA-POLICE", "XT", "XS-24")
SUFFIX = "abcdefgh"


def counted() -> definitions.RandomBytes:
    """Bytes that differ from call to call and are the same in each run."""
    numbers = count(1)
    return lambda size: hashlib.shake_256(str(next(numbers)).encode()).digest(size)


def topic_pattern(code: str) -> str:
    """The write pattern as the broker uses it for the user of this code."""
    return topology.permissions_of(Queues(code, SUFFIX)).topic_write.replace("{username}", code)


@pytest.mark.parametrize("code", CODES)
def test_a_contact_point_may_read_its_own_queues(code: str) -> None:
    """The read pattern matches each queue of its own."""
    names = Queues(code, SUFFIX)
    pattern = topology.permissions_of(names).read
    assert all(re.search(pattern, queue.name) for queue in topology.queues_of(names))


@pytest.mark.parametrize("reader", CODES)
@pytest.mark.parametrize("owner", CODES)
def test_a_contact_point_may_read_no_foreign_queue(reader: str, owner: str) -> None:
    """The read pattern matches no other's queue, even with the same suffix and a code that begins alike."""
    pattern = topology.permissions_of(Queues(reader, SUFFIX)).read
    foreign = [queue.name for queue in topology.queues_of(Queues(owner, SUFFIX))]
    assert all(bool(re.search(pattern, name)) == (reader == owner) for name in foreign)


@pytest.mark.parametrize("sender", CODES)
@pytest.mark.parametrize("to", CODES)
@pytest.mark.parametrize("lane", Lane)
def test_a_contact_point_may_post_to_everybody_under_its_own_name(sender: str, to: str, lane: Lane) -> None:
    """The topic pattern lets each sender reach each contact point on each lane."""
    assert re.search(topic_pattern(sender), topology.routing_key(lane, to=to, sender=sender))


@pytest.mark.parametrize(
    "key",
    [
        "XT.XS.urgent",
        "XT.XA-POLICE.urgent",
        "XT.XA.bulk",
        "XT.XA.urgent.more",
        "more.XT.XA.urgent",
        "xt.XA.urgent",
        "XT.xa.urgent",
        "XT-.XA.urgent",
        "XT-A.XA.urgent",
        "XT.XA",
        "*.XA.urgent",
    ],
)
def test_a_contact_point_may_post_under_no_other_key(key: str) -> None:
    """Foreign names, unknown lanes and keys of another shape are refused to XA."""
    assert not re.search(topic_pattern("XA"), key)


@pytest.mark.parametrize("lane", Lane)
def test_a_binding_takes_what_is_addressed_to_its_queue(lane: Lane) -> None:
    """Each lane's queue is bound for its contact point, any sender, and its own lane only."""
    queues = {queue.name: queue for queue in topology.queues_of(Queues("XA-POLICE", SUFFIX))}
    inbound = queues[f"cp.in.XA-POLICE.{lane}.{SUFFIX}"]
    assert (inbound.exchange, inbound.binding) == ("cp.post", f"XA-POLICE.*.{lane}")


@pytest.mark.parametrize("lane", Lane)
def test_dead_letters_find_their_queue(lane: Lane) -> None:
    """What a queue gives up on goes, by its own routing key, to the dead letters of the same contact point."""
    queues = {queue.name: queue for queue in topology.queues_of(Queues("XA-POLICE", SUFFIX))}
    arguments = queues[f"cp.in.XA-POLICE.{lane}.{SUFFIX}"].arguments
    dead = queues[f"cp.dead.XA-POLICE.{SUFFIX}"]
    assert (arguments["x-dead-letter-exchange"], dead.exchange) == ("cp.dead", "cp.dead")
    assert (arguments["x-dead-letter-routing-key"], dead.binding) == (f"XA-POLICE.{lane}", "XA-POLICE.*")


def test_inbound_queues_lose_nothing_by_their_own_rules() -> None:
    """Replicated, bounded by refusing the publisher, with a limit of returns and safe dead letters; no expiry."""
    for queue in topology.queues_of(Queues("XA", SUFFIX)):
        assert queue.arguments["x-queue-type"] == "quorum"
        assert queue.arguments["x-single-active-consumer"] is True
        assert queue.arguments["x-overflow"] == "reject-publish"
        assert queue.arguments["x-max-length-bytes"] == 268_435_456
        assert not {"x-message-ttl", "x-expires", "x-max-length"} & set(queue.arguments)
        if queue.exchange == topology.POST:
            assert queue.arguments["x-delivery-limit"] == 20
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"


@pytest.mark.parametrize("code", ["", "xa", "X", "XAA", "XA-", "XA-A", "XA-ABCDEFGHIJKLM", "XA.XT", "XA-PO#", "XA\n"])
def test_what_is_no_code_reaches_no_pattern(code: str) -> None:
    """A text that could mean something to a routing key or a regular expression is refused."""
    with pytest.raises(NotAContactPoint):
        Queues(code, SUFFIX)
    with pytest.raises(NotAContactPoint):
        topology.routing_key(Lane.URGENT, to=code, sender="XA")


@pytest.mark.parametrize("suffix", ["", "short", "UPPERCASE", "with.dots1", "a" * 65])
def test_a_suffix_is_long_enough_to_be_a_secret(suffix: str) -> None:
    """Short suffixes and characters with a meaning are refused."""
    with pytest.raises(NotAContactPoint):
        Queues("XA", suffix)


def test_the_document_holds_hashes_and_no_password() -> None:
    """Each user's hash is that of its password; the password itself is nowhere in the document, nor in any repr."""
    random = counted()
    accounts = open_accounts(CODES, random)
    administrator = Administrator("administrator", definitions.make_password(random))
    document = make_definitions(accounts, random, administrator=administrator)
    passwords = {account.code: account.password for account in accounts} | {"administrator": administrator.password}
    for user in document["users"]:
        raw = b64decode(user["password_hash"])
        assert raw[4:] == hashlib.sha256(raw[:4] + passwords.pop(user["name"]).encode()).digest()
    assert not passwords
    shown = json.dumps(document) + repr(accounts) + repr(administrator)
    assert not any(secret in shown for secret in (*(a.password for a in accounts), administrator.password))


def test_passwords_suffixes_and_salts_are_all_different() -> None:
    """Nothing that is drawn at random is used twice."""
    random = counted()
    accounts = open_accounts(CODES, random)
    document = make_definitions(accounts, random)
    salts = [b64decode(user["password_hash"])[:4] for user in document["users"]]
    for drawn in ([a.password for a in accounts], [a.suffix for a in accounts], salts):
        assert len(set(drawn)) == len(CODES)


def test_every_contact_point_has_its_rights_in_its_vhost() -> None:
    """Permission and topic permission of each user stand in the document; only the administrator manages."""
    random = counted()
    accounts = open_accounts(CODES, random)
    document = make_definitions(accounts, random, vhost="v", administrator=Administrator("boss", "x" * 32))
    assert {(p["user"], p["vhost"], p["configure"]) for p in document["permissions"]} == {
        *((code, "v", "^$") for code in CODES),
        ("boss", "v", ".*"),
    }
    assert {(p["user"], p["vhost"], p["exchange"]) for p in document["topic_permissions"]} == {
        (code, "v", "cp.post") for code in CODES
    }
    tags = {user["name"]: user["tags"] for user in document["users"]}
    assert tags == {**dict.fromkeys(CODES, ""), "boss": "administrator"}


def test_the_same_randomness_makes_the_same_document() -> None:
    """The document depends on its arguments alone, and not on the order of the contact points."""

    def make(codes: tuple[str, ...]) -> str:
        accounts = open_accounts(CODES, counted())
        chosen = sorted(accounts, key=lambda account: codes.index(account.code))
        return json.dumps(make_definitions(chosen, counted()))

    assert make(CODES) == make(CODES[::-1])


def test_a_node_connects_as_itself_or_not_at_all() -> None:
    """An AMQP URL of another user is refused at the start; one without a user (client certificate) is not."""
    with pytest.raises(SettingsUnusable, match="XA"):
        Access("XA", "amqp://XT:secret@127.0.0.1/counterpart", SUFFIX)
    assert Access("XA", "amqps://127.0.0.1/counterpart?auth=external", SUFFIX).queues == Queues("XA", SUFFIX)


def test_access_shows_no_secret() -> None:
    """Neither the URL with its password nor the suffix appears when an `Access` is printed."""
    shown = repr(Access("XA", "amqp://XA:hunter2@127.0.0.1/counterpart", SUFFIX))
    assert "hunter2" not in shown
    assert SUFFIX not in shown
