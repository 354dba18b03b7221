"""Account numbers, payment cards and digests of files."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from stdnum import iban as iban_numbers
from stdnum.exceptions import ValidationError

from app.domain.identifiers.base import Identifier, Remark
from app.domain.law.warning_lists import Watched
from app.domain.shape import Strict, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_FINANCIAL = Remark(
    "type", "financial_intelligence", "Payment data may also be had through the financial intelligence unit."
)


class Algorithm(StrEnum):
    """Digests of files."""

    SHA256 = "SHA-256"
    SHA384 = "SHA-384"
    SHA512 = "SHA-512"
    SHA1 = "SHA-1"
    MD5 = "MD5"


_HEX_DIGITS = {
    Algorithm.SHA256: 64,
    Algorithm.SHA384: 96,
    Algorithm.SHA512: 128,
    Algorithm.SHA1: 40,
    Algorithm.MD5: 32,
}
_COLLIDING = (Algorithm.SHA1, Algorithm.MD5)


def _iban(text: str) -> str:
    try:
        iban_numbers.validate(text)
    except ValidationError as wrong:
        raise fault("bad_iban", "The check digits are wrong, or the country has no such account numbers.") from wrong
    return text


class Iban(Identifier):
    """A bank account."""

    type: Literal["iban"]
    value: Annotated[str, StringConstraints(max_length=42, pattern=r"^[A-Za-z0-9 ]+$"), AfterValidator(_iban)]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "iban", "value": iban_numbers.compact(self.value)}

    def remarks(self) -> Iterator[Remark]:
        yield _FINANCIAL


class CardRef(Identifier):
    """A payment card by its first six and last four digits; the full number is never taken."""

    type: Literal["card_ref"]
    first6: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]

    def normal_form(self) -> dict[str, Any]:
        return {"type": "card_ref", "first6": self.first6, "last4": self.last4}

    def remarks(self) -> Iterator[Remark]:
        yield _FINANCIAL


class Digest(Strict):
    """One digest of a file."""

    algorithm: Annotated[Algorithm, Field(strict=False)]
    value: Annotated[str, StringConstraints(max_length=128, pattern=r"^[0-9A-Fa-f]+$")]

    @model_validator(mode="after")
    def _has_its_length(self) -> Self:
        if len(self.value) != _HEX_DIGITS[self.algorithm]:
            raise fault("bad_hash", "A digest of this algorithm has another length.")
        return self


class FileHash(Identifier):
    """A file by its digest. Files can be made to share an MD5 or SHA-1, so those only stand beside a better one."""

    type: Literal["file_hash"]
    algorithm: Annotated[Algorithm, Field(strict=False)]
    value: Annotated[str, StringConstraints(max_length=128, pattern=r"^[0-9A-Fa-f]+$")]
    secondary: Annotated[list[Digest], Field(max_length=5)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.algorithm in _COLLIDING:
            raise fault("weak_hash", "MD5 and SHA-1 only beside a SHA-256, SHA-384 or SHA-512, under `secondary`.")
        if len(self.value) != _HEX_DIGITS[self.algorithm]:
            raise fault("bad_hash", "A digest of this algorithm has another length.")
        return self

    def normal_form(self) -> dict[str, Any]:
        return {"type": "file_hash", "algorithm": self.algorithm.value, "value": self.value.lower()}

    def watched(self) -> Iterator[tuple[str, Watched, str]]:
        yield "value", Watched.DIGEST, self.value.lower()
        for number, digest in enumerate(self.secondary):
            yield f"secondary/{number}/value", Watched.DIGEST, digest.value.lower()
