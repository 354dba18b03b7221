"""How the routes of printed forms describe themselves."""

from __future__ import annotations

from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Fault, Operation, Tag

HTML = "text/html"
PDF = "application/pdf"

FONT_MISSING = Fault(
    "font_missing",
    422,
    "Some characters have no font here: install fonts-hosny-amiri, or name a folder of fonts in COUNTERPART_FONTS. "
    "The form as HTML needs none.",
    {"missing": [{"script": "arabic", "package": "fonts-hosny-amiri", "characters": ["U+0627", "U+0644"]}]},
)
FORM_TOO_LONG = Fault("form_too_long", 422, "More than 1500000 characters cannot be printed; read it as HTML.")
LETTER_NOT_POSSIBLE = Fault(
    "letter_not_possible", 422, "A letter to a provider belongs to a preservation asked of this state."
)

_PAGE = '<!doctype html>\n<html lang="fr" dir="ltr">…<h2>1 Date · 1 日付</h2>…</html>\n'
_PRINTED = "%PDF-1.7 …"

_FORM = Answered(
    "The form. Numbers are the same in every language; the first language is that of the page.",
    None,
    {"bilingual": _PAGE},
    media_type=HTML,
    also={PDF: {"tagged": _PRINTED}},
    headers={
        "Content-Disposition": "`inline`, with a name for the file.",
        "Content-Language": "The languages printed.",
    },
)

REQUEST_DOCUMENT = Operation(
    "printRequest",
    Tag.REQUESTS,
    "Print a request as a form",
    {200: _FORM},
    errors=(ROLE_NOT_ALLOWED, FONT_MISSING, FORM_TOO_LONG),
)

EXCHANGE_DOCUMENT = Operation(
    "printExchange",
    Tag.EXCHANGES,
    "Print an exchange as a form",
    {200: _FORM},
    errors=(ROLE_NOT_ALLOWED, FONT_MISSING, FORM_TOO_LONG),
)

PROVIDER_LETTER = Operation(
    "printProviderLetter",
    Tag.EXCHANGES,
    "Print the letter to a provider",
    {
        200: Answered(
            "The letter.",
            None,
            {"letter": _PAGE},
            media_type=HTML,
            also={PDF: {"tagged": _PRINTED}},
            headers={
                "Content-Disposition": "`inline`, with a name for the file.",
                "Content-Language": "The languages printed.",
                "Link": 'The letter to the next provider that the request names, `rel="next"`.',
            },
        )
    },
    errors=(ROLE_NOT_ALLOWED, FONT_MISSING, FORM_TOO_LONG, LETTER_NOT_POSSIBLE),
)
