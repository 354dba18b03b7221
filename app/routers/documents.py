"""Forms on paper: a request or an exchange in the layout of the T-CY templates, and the letter to a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.errors import FieldError, Refused
from app.forms.cases import Form, Side
from app.forms.catalogues import LANGUAGES
from app.forms.composing import compose
from app.forms.html import content_security_policy, render_html
from app.forms.printing import MOST_LANGUAGES, choose_languages, to_page
from app.routers import document_operations as told
from app.routers.answers import NO_STORE
from app.routers.deps import AGENCY, DESK, Command, Commanding, require_role
from app.routers.exchanges import find_exchange
from app.routers.reading import remember_reading
from app.routers.requests import find_request
from app.services.read_exchange_document import read_exchange_document, side_of_case
from app.services.read_request_document import read_request_document
from app.services.write_provider_letter import write_provider_letter

router = APIRouter()


class Format(StrEnum):
    """What the form is given as."""

    HTML = "html"
    PDF = "pdf"


AskedFormat = Annotated[Format, Query(alias="format", description="html for the screen, pdf for paper.")]
AskedLanguages = Annotated[
    str | None,
    Query(
        alias="lang",
        max_length=20,
        description="One language or two side by side, such as `en` or `fr,ja`; of en, fr, ar, ja. Without it: this "
        "contact point's first language and the other's.",
    ),
]
Place = Annotated[int, Query(ge=1, le=100, description="Which of the providers that the request names, in its order.")]


@router.get("/v1/requests/{request_id}/document", **told.REQUEST_DOCUMENT.route())
async def print_request(
    command: Commanding, request_id: str, form: AskedFormat = Format.HTML, lang: AskedLanguages = None
) -> Response:
    """The request as the form that leaves the state, by its id or its reference. Not signed yet, it says so.

    People of an agency print their agency's requests, the desk prints all.
    """
    require_role(command.actor, *AGENCY, *DESK)
    record = await find_request(command, request_id)
    await remember_reading(command, record.id)
    case = await read_request_document(command.session, command.node, record, now=command.now)
    languages = _languages(lang, case.requesting, case.requested)
    return await _answer(command, compose(case), languages, form, {})


@router.get("/v1/exchanges/{exchange_id}/document", **told.EXCHANGE_DOCUMENT.route())
async def print_exchange(
    command: Commanding, exchange_id: str, form: AskedFormat = Format.HTML, lang: AskedLanguages = None
) -> Response:
    """The request as it was signed and what became of it: state, references, holds on both clocks, conditions, answers.

    The SHA-256 at its foot is that of the signed document: both contact points print the same.
    """
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    case = await read_exchange_document(command.session, command.node, record, now=command.now)
    own = side_of_case(command.node, command.node.code)
    languages = _languages(lang, own, side_of_case(command.node, record.peer))
    return await _answer(command, compose(case), languages, form, {})


@router.get("/v1/exchanges/{exchange_id}/provider-letter", **told.PROVIDER_LETTER.route())
async def print_provider_letter(
    command: Commanding,
    exchange_id: str,
    form: AskedFormat = Format.HTML,
    lang: AskedLanguages = None,
    provider: Place = 1,
) -> Response:
    """The letter to a provider for a preservation asked of us: which data, how long, and to tell nobody.

    It says nothing of the facts, the offence, the investigator or the state that asks. That it was made is on record.
    """
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    own = side_of_case(command.node, command.node.code)
    languages = _languages(lang, own, own)
    letter, providers = await write_provider_letter(command.acting, record, place=provider)
    following = command.request.url.include_query_params(provider=provider + 1)
    headers = {"Link": f'<{following.path}?{following.query}>; rel="next"'} if provider < providers else {}
    return await _answer(command, letter, languages, form, headers)


def _languages(asked: str | None, own: Side, other: Side) -> Sequence[str]:
    """The languages asked for, or those of the two contact points; Refused for what the form has no words for."""
    if asked is None:
        return choose_languages(own.point, other.point)
    languages = asked.split(",")
    if len(languages) > MOST_LANGUAGES or len(set(languages)) != len(languages) or set(languages) - set(LANGUAGES):
        listed = ", ".join(LANGUAGES)
        fault = FieldError("?lang", "not_in_list", f"One or two different languages of {listed}, as in `fr,ja`.")
        raise Refused("parameters_invalid", "The query or a header breaks the rules listed in errors.", errors=(fault,))
    return languages


async def _answer(
    command: Command, form: Form, languages: Sequence[str], wanted: Format, headers: Mapping[str, str]
) -> Response:
    """The form as asked; a PDF is set in a thread, so that nobody else waits for it."""
    page = to_page(form, languages)
    name = f"{form.reference or 'form'}-{'-'.join(languages)}"
    name = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    common = {
        **NO_STORE,
        **headers,
        "Content-Language": ", ".join(languages),
        "Content-Disposition": f'inline; filename="{name}.{wanted}"',
        "Referrer-Policy": "no-referrer",
    }
    if wanted is Format.PDF:
        printed = await asyncio.to_thread(command.runtime.press.print_pdf, page, at=form.printed_at)
        return Response(printed, headers=common, media_type=told.PDF)
    policy = {"Content-Security-Policy": content_security_policy()}
    return Response(render_html(page), headers=common | policy, media_type=told.HTML)
