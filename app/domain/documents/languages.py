"""Whether the contact point asked can read a document, and what must accompany it where it cannot (scenario 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import Completion, Tier
from app.domain.directory_codes import LanguageUse
from app.domain.documents.reading import pointer_to
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from app.domain.contact_points import ContactPointProfile

_READ = frozenset({LanguageUse.WRITTEN, LanguageUse.FORMS})


def read_there(point: ContactPointProfile) -> frozenset[str]:
    """Primary subtags of the languages that the directory says are read there; a language only spoken is none."""
    return frozenset(_primary(language.tag) for language in point.languages if _READ & set(language.uses))


def is_read(document: Mapping[str, Any], point: ContactPointProfile) -> bool:
    """Whether the document, or a translation it names, is in a language that is read there."""
    given = {document["language"], *(text["language"] for text in document.get("translations", ()))}
    return not read_there(point).isdisjoint(map(_primary, given))


def translation_lacking(
    document: Mapping[str, Any], point: ContactPointProfile, *, tier: Tier, attached: Collection[str]
) -> FieldError | None:
    """What keeps the document from being sent: `C-LANG` with what is to be done, or None.

    A language that is not read there needs a translation that a person made or checked; in an emergency the original
    and a machine's translation do. `attached` are the names of the files that will travel with the document.
    """
    read = read_there(point)
    if _primary(document["language"]) in read:
        return None
    fitting = [
        (place, text)
        for place, text in enumerate(document.get("translations", ()))
        if _primary(text["language"]) in read
    ]
    hurried = tier is Tier.EMERGENCY
    if not fitting:
        word = "a machine's will do in an emergency" if hurried else "made or checked by a person"
        wanted = (
            f"The contact point asked reads {', '.join(sorted(read))}: add a translation into one of these, {word}."
        )
        return FieldError("/translations", Completion.LANG, wanted)
    sendable = [(place, text) for place, text in fitting if hurried or not text["machine_translation"]]
    if not sendable:
        said = "A machine's translation will do in an emergency only: have a person make or check it, and say so here."
        return FieldError(pointer_to("translations", fitting[0][0], "machine_translation"), Completion.LANG, said)
    if not any(text.get("text") or text.get("file_name") in attached for _, text in sendable):
        said = "The translation itself is not here: write it in `text`, or attach the file that this names."
        return FieldError(pointer_to("translations", sendable[0][0], "file_name"), Completion.LANG, said)
    return None


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
