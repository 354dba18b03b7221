"""What people write is in the databases of two nodes and nowhere else: not at the broker, not in any log."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support import driving
from tests.support.history import is_quiet
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.e2e.ground import Network
    from tests.support.processes import Site

SECRETS_OF_A_FILE = ("database_url", "owner_database_url", "amqp_url")


@dataclass(frozen=True, slots=True)
class Needle:
    """One secret in one of the forms in which it may lie in a file."""

    name: str
    form: str
    bytes: bytes


def forms_of(name: str, secret: str) -> Iterator[Needle]:
    """Plain, in hexadecimal, and in base64 at each of its three alignments."""
    raw = secret.encode("ascii")
    yield Needle(name, "plain", raw)
    yield Needle(name, "hex", raw.hex().encode())
    yield Needle(name, "HEX", raw.hex().upper().encode())
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        inner = whole[4 if shift else 0 : len(whole) - 4]
        yield Needle(name, "base64", inner)
        yield Needle(name, "base64", inner.replace(b"+", b"-").replace(b"/", b"_"))


def forms_of_all(given: Mapping[str, str]) -> list[Needle]:
    """Every form of every secret."""
    return [needle for name, secret in given.items() for needle in forms_of(name, secret)]


def found_in(folders: Iterable[Path], needles: Iterable[Needle]) -> set[tuple[str, str, str]]:
    """File, secret and form of everything found; each folder or file must have something to look at."""
    wanted, found = list(needles), set()
    for folder in folders:
        looked_at = 0
        for path in folder.rglob("*") if folder.is_dir() else [folder]:
            if path.is_file():
                content = path.read_bytes()
                looked_at += len(content)
                found |= {(path.name, needle.name, needle.form) for needle in wanted if needle.bytes in content}
        assert looked_at > 0, f"{folder} is empty"
    return found


def canaries() -> dict[str, str]:
    """Texts that stand nowhere else, one for each place that a person fills in."""
    places = ("facts", "person", "custodian", "address", "question", "answer", "refused")
    return {place: f"Canary{place.capitalize()}{secrets.token_hex(12)}" for place in places}


def secrets_of(site: Site) -> dict[str, str]:
    """Bearer tokens, passwords and private keys of a node."""
    found = {f"token of {seat}": token.split("_", 2)[2] for seat, token in site.tokens.items()}
    for name in SECRETS_OF_A_FILE:
        password = urlsplit(getattr(site.settings, name).get_secret_value()).password
        found[name] = password or ""
    for path in site.settings.keys_dir.glob("*.json"):
        found[path.stem] = json.loads(path.read_text())["d"]
    return {f"{site.code} {name}": secret for name, secret in found.items() if secret}


async def dump(site: Site, folder: Path) -> Path:
    """The rows of every table of a node's database, as text."""
    for (table,) in await site.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        rows = await site.rows(f"SELECT whole::text FROM {table} whole")
        (folder / table).write_text("\n".join(row for (row,) in rows))
    return folder


async def written_and_queued(xa: Site, words: Mapping[str, str]) -> tuple[str, str]:
    """File, sign and hand to the broker two requests full of canaries, and have a third one refused."""
    authority = dict(driving.preservation("")["investigating_authority"])
    authority |= {"person_in_charge": words["person"], "address": words["address"]}
    (target,) = driving.preservation("")["targets"]
    target = {**target, "custodian": {"name": words["custodian"], "country": "XT"}}
    facts = f"On 21 November 2026 {words['facts']} entered a hospital's remote access gateway."
    members: dict[str, Any] = {"facts_summary": facts, "targets": [target], "investigating_authority": authority}
    kept = await driving.send(xa, driving.preservation("AU-CANARY-1", **members))
    asked = await driving.send(
        xa,
        driving.advice("AU-CANARY-2", question=f"How long do hosting companies keep the logs of {words['question']}?"),
    )
    bad = driving.preservation("AU-CANARY-3", targets=words["refused"], language=words["refused"])
    refused = await xa.as_("agency_officer").post("/v1/requests", bad)
    assert refused.status_code == 422
    assert words["refused"] not in refused.text

    async def confirmed() -> bool:
        return await xa.count("SELECT count(*) FROM publication WHERE confirmed_at IS NOT NULL") >= 2

    await until(confirmed, what="the broker confirms")
    return kept.exchange, asked.exchange


@pytest.mark.timeout(300)
async def test_canaries_are_in_the_databases_and_nowhere_else(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Filed, queued, delivered, answered and restarted, no word of a person is in a file of the broker or in a log."""
    xa, xt, rabbit, words = network["XA"], network["XT"], network.ground.rabbit, canaries()
    needles = forms_of_all(words)
    xa.start(log_level="debug")
    await xa.ready()
    kept, asked = await written_and_queued(xa, words)
    # The envelopes lie in the broker's files now: they are found there, and what they say is not.
    envelope = base64.urlsafe_b64encode(b'{"alg":"ECDH-ES+A256KW"')[:-4]
    assert found_in(
        [rabbit.data], [Needle("envelope", "base64", envelope), Needle("address", "plain", b"XT.XA.urgent")]
    )
    assert found_in([rabbit.data], needles) == set()

    xt.start(log_level="debug")
    await asyncio.gather(*(driving.delivered(xa, exchange) for exchange in (kept, asked)))
    await driving.preserve(xt, kept)
    await driving.answer(xt, asked, f"It is {words['answer']}.")
    await until(lambda: is_quiet(xa, xt), what="both outboxes empty")
    assert [await site.process.stop() for site in (xa, xt)] == [0, 0]
    for site in (xa, xt):
        site.start(log_level="debug")
    await asyncio.gather(xa.ready(), xt.ready())
    assert [await site.process.stop() for site in (xa, xt)] == [0, 0]

    logs = [site.process.log for site in (xa, xt)]
    everywhere = [rabbit.data, rabbit.log, *logs]
    assert found_in(everywhere, needles) == set()
    assert found_in(everywhere, forms_of_all(secrets_of(xa) | secrets_of(xt))) == set()

    dumped = found_in([await dump(site, tmp_path_factory.mktemp(site.code)) for site in (xa, xt)], needles)
    told = set(words) - {"refused"}
    assert {name for _, name, _ in dumped} == told, "(control) the same search finds every canary in the databases"
    assert {("request", "plain"), ("outbox", "hex"), ("inbox", "base64")} <= {
        (table, form) for table, _, form in dumped
    }


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """(Control) A secret is found plain, in hexadecimal, and in base64 wherever it begins; another one is not."""
    secret, other = (f"Joker{secrets.token_hex(12)}" for _ in range(2))
    for shift in range(3):
        text = b"x" * shift + secret.encode() + b"y" * 7
        (tmp_path / f"base64-{shift}").write_bytes(base64.b64encode(text))
        (tmp_path / f"hex-{shift}").write_bytes(text.hex().encode())
        (tmp_path / f"plain-{shift}").write_bytes(text)
    found = found_in([tmp_path], forms_of_all({"secret": secret, "other": other}))
    assert found == {(f"{form}-{shift}", "secret", form) for form in ("base64", "hex", "plain") for shift in range(3)}
