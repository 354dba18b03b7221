"""Forms over HTTP: who may print what, in which language and format, and that printing is itself on record."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from app.db.engine import reading
from app.domain.codes import RequestType
from tests.forms.printed import Reading, root_of, text_of
from tests.routers.clients import Clients, assert_problem, new_key
from tests.world.documents import CANARY, document

if TYPE_CHECKING:
    from app.runtime import Runtime

FACTS = text("SELECT count(*) FROM audit_pending")


@pytest.fixture
async def filed(client: Clients) -> dict[str, Any]:
    """A request for advice to XS, filed by the first agency."""
    made = document(RequestType.TECHNICAL_ADVICE)
    answer = await client("agency_officer").post("/v1/requests", json=made, headers=new_key())
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_request_is_printed_in_the_languages_of_both_sides(client: Clients, filed: dict[str, Any]) -> None:
    """Without a wish: our first language and theirs; by id and by reference alike; nothing of it may be kept or run."""
    answer = await client("agency_officer").get(f"/v1/requests/{filed['id']}/document")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == "fr, ar"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "Demande de conseils techniques" in Reading(answer.text).all("h1")[0].text
    same = await client("duty_officer").get(f"/v1/requests/{filed['reference']}/document")
    assert same.text == answer.text


async def test_pdf_is_tagged_and_named(client: Clients, filed: dict[str, Any]) -> None:
    """A PDF in the language asked for, whose name is the reference; not signed, it says so."""
    answer = await client("duty_officer").get(
        f"/v1/requests/{filed['id']}/document", params={"format": "pdf", "lang": "ja"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'inline; filename="{filed["reference"]}-ja.pdf"'
    reader = PdfReader(BytesIO(answer.content))
    assert root_of(reader)["/Lang"] == "ja"
    assert "未署名" in text_of(reader)
    assert filed["reference"] in text_of(reader)


async def test_other_languages_are_refused(client: Clients, filed: dict[str, Any]) -> None:
    """One or two different languages that the form has words for; the answer names the parameter."""
    officer = client("duty_officer")
    for lang in ("de", "en,fr,ja", "en,en", "", "en, fr", "EN"):
        answer = await officer.get(f"/v1/requests/{filed['id']}/document", params={"lang": lang})
        problem = assert_problem(answer, 422, "parameters_invalid")
        assert problem["errors"][0]["pointer"] == "?lang"


async def test_who_may_print(client: Clients, filed: dict[str, Any]) -> None:
    """Agency and desk; another agency reads that there is no such request, other roles that it is not for them."""
    path = f"/v1/requests/{filed['id']}/document"
    for seat in ("agency_officer", "agency_viewer", "duty_officer", "supervisor"):
        assert (await client(seat).get(path)).status_code == 200
    assert_problem(await client().get(path), 401, "not_authenticated")
    for seat in ("agency_officer_2", "agency_viewer_2"):
        assert_problem(await client(seat).get(path), 404, "not_found")
    for seat in ("auditor", "monitor", "registrar", "administrator"):
        assert_problem(await client(seat).get(path), 403, "role_not_allowed")
    for seat in ("agency_officer", "auditor", "monitor"):
        for rest in ("document", "provider-letter"):
            assert_problem(await client(seat).get(f"/v1/exchanges/{filed['id']}/{rest}"), 403, "role_not_allowed")
    for rest in ("document", "provider-letter"):
        assert_problem(await client("duty_officer").get(f"/v1/exchanges/{filed['id']}/{rest}"), 404, "not_found")


async def test_printing_is_on_record(client: Clients, filed: dict[str, Any], runtime: Runtime) -> None:
    """Printing a case is reading it: one fact per person, case and quarter of an hour, however often it is done."""
    path = f"/v1/requests/{filed['id']}/document"
    before = await reads(runtime)
    for _ in range(2):
        await client("duty_officer").get(path)
    await client("supervisor").get(path)
    assert await reads(runtime) == before + 2


async def reads(runtime: Runtime) -> int:
    """How many facts wait for the log; nobody does anything but read here."""
    async with reading(runtime.engine) as session:
        return int(await session.scalar(FACTS) or 0)


async def test_content_of_an_offer_is_not_on_its_form(client: Clients) -> None:
    """A form may go by fax: what is offered stands on it with its condition, and nothing of what is given later."""
    made = document(RequestType.SPONTANEOUS_INFORMATION)
    made["information"]["text"] = f"{CANARY}: the person behind the account."
    filed = await client("agency_officer").post("/v1/requests", json=made, headers=new_key())
    assert filed.status_code == 201, filed.text
    path = f"/v1/requests/{filed.json()['id']}"
    assert CANARY in (await client("duty_officer").get(path)).text
    form = (await client("duty_officer").get(f"{path}/document", params={"lang": "en"})).text
    assert CANARY not in form
    assert made["teaser"] in Reading(form).all("main")[0].text
