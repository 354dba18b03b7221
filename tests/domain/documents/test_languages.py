"""A document that cannot be read where it goes is not sent: the officer is told what has to come with it."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.codes import Tier
from app.domain.contact_points import ContactPointProfile, Language
from app.domain.directory import load_profile
from app.domain.directory_codes import LanguageLevel, LanguageUse
from app.domain.documents import translation_lacking
from tests.domain.documents.test_published import KITANO

FILE = "translation-en.txt"
HUMAN = {"language": "en-GB", "file_name": FILE, "machine_translation": False}
MACHINE = {"language": "en", "text": "The whole text, in English.", "machine_translation": True}
Asked = tuple[list[dict[str, Any]], Tier, set[str]]


@pytest.fixture
def point() -> ContactPointProfile:
    """A contact point that reads English and Russian, and speaks Portuguese."""
    profile = load_profile(KITANO.read_text("utf-8"), source="XT")
    spoken = Language(tag="pt", level=LanguageLevel.BASIC, uses=(LanguageUse.VOICE,))
    read = [Language(tag=tag, level=LanguageLevel.WORKING, uses=(LanguageUse.WRITTEN,)) for tag in ("en", "ru")]
    return profile.model_copy(update={"languages": (spoken, *read)})


SENT: dict[str, Asked] = {
    "a person's translation as a file": ([HUMAN], Tier.ROUTINE, {FILE}),
    "a person's translation in full": ([{**MACHINE, "machine_translation": False}], Tier.URGENT, set()),
    "a machine's in an emergency": ([MACHINE], Tier.EMERGENCY, set()),
    "a machine's and a person's": ([MACHINE, HUMAN], Tier.ROUTINE, {FILE}),
}

KEPT: dict[str, tuple[Asked, str, str]] = {
    "no translation": (([], Tier.ROUTINE, set()), "/translations", "made or checked by a person"),
    "no translation in an emergency": (([], Tier.EMERGENCY, set()), "/translations", "a machine's will do"),
    "a translation into what is not read either": (
        ([{**HUMAN, "language": "fr"}], Tier.URGENT, {FILE}),
        "/translations",
        "en, ru",
    ),
    "a machine's translation without haste": (
        ([MACHINE], Tier.URGENT, set()),
        "/translations/0/machine_translation",
        "in an emergency only",
    ),
    "a translation that is not there": (([HUMAN], Tier.ROUTINE, {"other.txt"}), "/translations/0/file_name", "attach"),
    "a translation that nobody can find": (
        ([{"language": "en", "machine_translation": True}], Tier.EMERGENCY, set()),
        "/translations/0/file_name",
        "`text`",
    ),
}


@pytest.mark.parametrize("what", SENT)
def test_sent(point: ContactPointProfile, what: str) -> None:
    """What is read there, or comes with what is needed, can be signed."""
    translations, tier, attached = SENT[what]
    document = {"language": "pt", "translations": translations}
    assert translation_lacking(document, point, tier=tier, attached=attached) is None


@pytest.mark.parametrize("what", KEPT)
def test_kept(point: ContactPointProfile, what: str) -> None:
    """The fault is C-LANG, points at what is to be mended, and says how."""
    (translations, tier, attached), pointer, said = KEPT[what]
    document = {"language": "pt", "translations": translations}
    fault = translation_lacking(document, point, tier=tier, attached=attached)
    assert fault is not None
    assert (fault.pointer, fault.code) == (pointer, "C-LANG")
    assert said in fault.detail


@pytest.mark.parametrize("language", ["en", "en-GB", "ru"])
def test_language_that_is_read_needs_nothing(point: ContactPointProfile, language: str) -> None:
    """The original alone will do, whatever the region behind its language."""
    assert translation_lacking({"language": language}, point, tier=Tier.ROUTINE, attached=()) is None
