"""A member of the network turns hostile: it has an account at the broker and real keys, and gets nothing by them."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Lane, RequestType
from app.domain.documents import example
from app.domain.moments import write_instant
from app.envelope.format import MAX_ENVELOPE_BYTES
from app.envelope.reasons import Reason
from app.envelope.seal import encrypt
from app.keystore import load_keys, read_directory
from tests.e2e.ground import wall_clock
from tests.envelope import forging
from tests.envelope.parties import Party, Published
from tests.support import driving
from tests.support.bus import consuming, eventually, open_rabbit
from tests.support.history import deliveries_at, heartbeats_left
from tests.support.peer import Clock, Peer, impostor, new_id
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from app.bus.broker import Broker
    from tests.e2e.ground import Network
    from tests.support.processes import Site

STORED = ("request", "idempotency", "exchange", "hold", "act", "inbox", "outbox", "timeline", "event", "commitment")
"""Where anything that a person or a peer brought about would be found."""


def party_of(network: Network, code: str) -> Party:
    """A contact point of the network with the keys from its folder."""
    keyring = load_keys(network.settings[code].keys_dir).keyring
    directory = read_directory(network.settings[code].directory)
    enc = directory.encryption_key(code, wall_clock())
    sig = directory.signing_key(code, keyring.signing.kid)
    assert enc is not None
    assert sig is not None
    published = [
        Published(record.kid, record.alg, record.public, nbf=record.nbf, exp=record.exp) for record in (sig, enc)
    ]
    return Party(code, keyring.signing, keyring, *published)


@dataclass
class Scene:
    """XT, and XS that speaks to it through its own account; XA's keys are here to make genuine texts of XA."""

    xt: Site
    sahran: Peer
    aurelia: Peer
    broker: Broker

    async def post(self, *envelopes: bytes) -> None:
        """Publish to XT's queue as XS."""
        for envelope in envelopes:
            await self.broker.publish(Lane.URGENT, "XT", envelope)

    def forged(self, header: bytes | None = None, body: bytes | None = None, **outer: Any) -> bytes:  # noqa: ANN401 - any member of a header
        """A sealed envelope of XS around any header and payload, signed with XS's own key."""
        to, mine = self.sahran.to, self.sahran.party
        header = header or self.header()
        body = body or self.payload()
        who = {"iss": "XS", "apu": forging.b64u(b"XS"), "kid": to.enc.kid}
        return forging.forge(header=header, body=body, signer=mine, receiver=to, **{**who, **outer})

    def header(self, **changes: object) -> bytes:
        """The header of a text of XS, with changes."""
        return forging.inner_header(**{"kid": self.sahran.party.signing.kid, **changes})

    def payload(self, **changes: object) -> bytes:
        """The claims of an opening by XS, with changes."""
        return forging.payload(
            **{"iss": "XS", "iat": int(wall_clock().timestamp()), "jti": new_id(), "thread": new_id(), **changes}
        )

    async def counts(self) -> dict[str, int]:
        """Rows of every table in which an effect would be found."""
        query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in STORED)
        return {table: int(number) for table, number in await self.xt.rows(query)}


@pytest.fixture(scope="module")
async def scene(network: Network) -> AsyncIterator[Scene]:
    """XT at work, and XS's way to the broker."""
    xt = network["XT"]
    xt.start()
    await xt.ready()
    await heartbeats_left(xt)
    await network.ground.purge_all(network.queues("XS"))
    clock, kitano = Clock(wall_clock()), party_of(network, "XT")
    broker = open_rabbit(network.access("XS"))
    try:
        sahran, aurelia = (Peer(party_of(network, code), kitano, clock) for code in ("XS", "XA"))
        yield Scene(xt, sahran, aurelia, broker)
    finally:
        await broker.aclose()


def opening(requesting: str) -> dict[str, Any]:
    """The body of an `exchange.open/1` that XT can read."""
    return {
        "type": "PRESERVATION",
        "tier": "URGENT",
        "requesting": requesting,
        "requested": "XT",
        "request_reference": f"{requesting}-2026-7K3QF9D",
        "opened_at": write_instant(wall_clock()),
        "document": dict(example(RequestType.PRESERVATION)),
    }


def flipped(envelope: bytes) -> bytes:
    """The same envelope with one letter of its ciphertext changed."""
    parts = envelope.split(b".")
    at = len(parts[3]) // 2
    letter = b"A" if parts[3][at : at + 1] != b"A" else b"B"
    parts[3] = parts[3][:at] + letter + parts[3][at + 1 :]
    return b".".join(parts)


def resigned(scene: Scene) -> bytes:
    """A genuine text of XS whose payload was changed under the old signature."""
    said = scene.sahran.say_next(new_id(), body=opening("XS"))
    header, _, signature = said.jws.split(".")
    jws = f"{header}.{forging.b64u(scene.payload())}.{signature}"
    return encrypt(jws, iss="XS", aud="XT", copy=1, recipient=scene.sahran.to.enc)


def forwarded(scene: Scene, *, as_whom: str) -> bytes:
    """What XA signed for XS, closed anew for XT."""
    said = scene.aurelia.say("exchange.open/1", opening("XA"), aud="XS", thread=new_id(), seq=1)
    return encrypt(said.jws, iss=as_whom, aud="XT", copy=1, recipient=scene.sahran.to.enc)


def confused(scene: Scene) -> bytes:
    """A MAC made with XS's published key as the secret."""
    signing_input = f"{forging.b64u(scene.header(alg='HS256'))}.{forging.b64u(scene.payload())}"
    mac = hmac.digest(scene.sahran.party.sig.public, signing_input.encode(), "sha256")
    return forging.close(
        f"{signing_input}.{forging.b64u(mac + mac)}",
        receiver=scene.sahran.to,
        kid=scene.sahran.to.enc.kid,
        iss="XS",
        apu=forging.b64u(b"XS"),
    )


def doubled(scene: Scene) -> bytes:
    """Claims that say twice for whom they are."""
    members = json.loads(scene.payload())
    return scene.forged(body=(json.dumps(members)[:-1] + ', "aud": "XA"}').encode())


def genuine(scene: Scene) -> bytes:
    """A well-made opening of XS."""
    return scene.sahran.close(scene.sahran.say_next(new_id(), body=opening("XS")))


HOSTILE: dict[str, tuple[Callable[[Scene], bytes], Reason]] = {
    "bytes that are no envelope": (lambda _: b"no envelope at all " + new_id().encode(), Reason.MALFORMED),
    "more bytes than an envelope may have": (lambda _: b"a" * (MAX_ENVELOPE_BYTES + 1), Reason.TOO_LARGE),
    "one changed letter of ciphertext": (lambda scene: flipped(genuine(scene)), Reason.UNDECRYPTABLE),
    "a changed payload under the old signature": (resigned, Reason.BAD_SIGNATURE),
    "an envelope addressed to another": (
        lambda scene: scene.forged(aud="XA", apv=forging.b64u(b"XA")),
        Reason.NOT_FOR_ME,
    ),
    "XA's text for XS passed on as XA's": (lambda scene: forwarded(scene, as_whom="XA"), Reason.MISMATCH),
    "XA's text for XS passed on as XS's": (lambda scene: forwarded(scene, as_whom="XS"), Reason.UNKNOWN_SENDER_KEY),
    "a sender that the directory does not know": (
        lambda scene: scene.forged(body=scene.payload(iss="XQ"), iss="XQ", apu=forging.b64u(b"XQ")),
        Reason.UNKNOWN_SENDER_KEY,
    ),
    "XA's name over a signature of XS": (
        lambda scene: scene.forged(body=scene.payload(iss="XA"), iss="XA", apu=forging.b64u(b"XA")),
        Reason.UNKNOWN_SENDER_KEY,
    ),
    "XA's name and key id over a signature of others": (
        lambda scene: impostor(scene.aurelia).close(impostor(scene.aurelia).say_next(new_id(), body=opening("XA"))),
        Reason.BAD_SIGNATURE,
    ),
    "a MAC made with the public key": (confused, Reason.ALG_NOT_ALLOWED),
    "an outer algorithm of its own choice": (lambda scene: scene.forged(alg="dir"), Reason.ALG_NOT_ALLOWED),
    "claims with a member twice": (doubled, Reason.DUPLICATE_MEMBER),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_what_is_forged_is_kept_and_has_no_effect(scene: Scene, case: str) -> None:
    """A forged envelope ends in the quarantine with its reason; nothing follows from it, and nobody gets a receipt."""
    make, reason = HOSTILE[case]
    before = await scene.counts()
    known = "SELECT coalesce(max(id), 0) FROM quarantine"
    last = await scene.xt.count(known)
    await scene.post(make(scene))

    async def kept() -> bool:
        return await scene.xt.count(known) > last

    await until(kept, what="the envelope is quarantined")
    found = await scene.xt.rows("SELECT reason, authenticated, state FROM quarantine WHERE id > $1", last)
    assert found == [(reason.value, False, "open")]
    after = await scene.counts()
    assert after.pop("commitment") == before.pop("commitment") + 1, "the one fact is that it was rejected"
    assert after == before


async def test_a_genuine_text_takes_effect_once_however_often_it_comes(scene: Scene) -> None:
    """Replayed as it was and closed anew, a text has one effect; each copy is receipted, since its sender is proven."""
    thread = new_id()
    said = scene.sahran.say_next(thread, body=opening("XS"))
    envelope = scene.sahran.close(said)
    await scene.post(envelope, envelope, scene.sahran.close(said, copy=2), envelope)
    async with consuming(scene.broker, Lane.URGENT, scene.sahran.hear):
        await eventually(lambda: len(scene.sahran.receipts()) >= 4, seconds=driving.PATIENCE_SECONDS)
        (state,) = scene.sahran.messages()
        await scene.sahran.send(scene.broker, Lane.URGENT, scene.sahran.receipt_for(state))
    told = [
        (entry["status"], entry["inner_hash"]) for entry in scene.sahran.receipts() if entry["jti"] == said.claims.jti
    ]
    assert told == [("stored", said.hash)] * 4
    assert (state.claims.type, state.claims.thread) == ("exchange.state/1", thread)
    assert await deliveries_at(scene.xt, [thread]) == [thread]
    assert await scene.xt.rows("SELECT duplicates FROM inbox WHERE thread = $1", thread) == [(3,)]


async def test_the_courier_does_not_decide_who_speaks(scene: Scene) -> None:
    """A genuine text of XA posted through XS's account counts as XA's: an account at the broker proves nothing."""
    thread = new_id()
    await scene.post(scene.aurelia.close(scene.aurelia.say_next(thread, body=opening("XA"))))

    async def arrived() -> bool:
        return bool(await deliveries_at(scene.xt, [thread]))

    await until(arrived, what="the opening arrives")
    shown = driving.accepted(await scene.xt.as_("duty_officer").get(f"/v1/exchanges/{thread}"))
    assert (shown["requesting"], shown["state"]) == ("XA", "DELIVERED")


async def test_a_foreign_token_opens_nothing(network: Network, scene: Scene) -> None:
    """Every seat's token of XA is refused at XT with 401 before anything is read or stored; XT's own is not.

    That tokens were refused is on record there soon after, as one fact whatever their number.
    """
    xa, xt = network["XA"], scene.xt
    before = await scene.counts()
    document = driving.preservation("AU-FOREIGN") | {"requested": "XA"}
    for seat, token in xa.tokens.items():
        stranger = replace(xt.as_(seat), token=token)
        answers = [await stranger.post("/v1/requests", document), await stranger.get("/v1/exchanges")]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid"), answer.text
            assert answer.headers["www-authenticate"].startswith("Bearer")

    async def told() -> bool:
        return (await scene.counts())["commitment"] > before["commitment"]

    await until(told, what="the refusals are on record")
    assert await scene.counts() == before | {"commitment": before["commitment"] + 1}
    own = await xt.as_("agency_officer").post("/v1/requests", document)
    assert own.status_code == 201, own.text
