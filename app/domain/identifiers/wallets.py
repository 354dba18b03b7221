"""Addresses and transactions of crypto-assets.

An address says nothing of who holds the keys: where an exchange keeps them, naming it is what makes a request
answerable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import StringConstraints, model_validator

from app.domain.identifiers.base import Identifier, Remark
from app.domain.identifiers.encodings import base58check, is_witness_address
from app.domain.identifiers.keccak import keccak_256
from app.domain.shape import Line, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_ADDRESS = 128
_HASH_BYTES = 20
_EVM = re.compile(r"0x[0-9a-fA-F]{40}")
_HEX_64 = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_CHAIN_TEXT = re.compile(r"[0-9A-Za-z]{20,128}")
_MIDDLE = 8
"""A hexadecimal digit of the digest from here on asks for a capital letter in the address (EIP-55)."""


@dataclass(frozen=True, slots=True)
class Form:
    """How addresses of an asset look: version bytes under Base58Check, and the prefix of witness addresses."""

    versions: frozenset[int] = frozenset()
    prefix: str | None = None

    def fits(self, address: str) -> bool:
        """Whether the checksum is right and the address belongs to this asset's main network."""
        if self.prefix is not None and address.lower().startswith(f"{self.prefix}1"):
            return is_witness_address(address, self.prefix)
        raw = base58check(address)
        return raw is not None and len(raw) == _HASH_BYTES + 1 and raw[0] in self.versions


def is_evm_address(address: str) -> bool:
    """Whether it is 20 bytes in hexadecimal; where letters are mixed, the capitals must be those of EIP-55."""
    if _EVM.fullmatch(address) is None:
        return False
    digits = address[2:]
    if digits in {digits.lower(), digits.upper()}:
        return True
    digest = keccak_256(digits.lower().encode("ascii")).hex()
    return all(
        sign.isdigit() or sign.isupper() == (int(mark, 16) >= _MIDDLE)
        for sign, mark in zip(digits, digest, strict=False)
    )


CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "BTC": Form(frozenset({0x00, 0x05}), "bc").fits,
        "LTC": Form(frozenset({0x30, 0x32, 0x05}), "ltc").fits,
        "DOGE": Form(frozenset({0x1E, 0x16})).fits,
        "DASH": Form(frozenset({0x4C, 0x10})).fits,
        "TRX": Form(frozenset({0x41})).fits,
        "ETH": is_evm_address,
        "BNB": is_evm_address,
        "POL": is_evm_address,
    }
)
"""Assets whose addresses can be checked. Others are taken as text, with a warning."""

Asset = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,12}$")]
Custodian = Annotated[Line, "the exchange or service that holds the keys, if known"]


class CryptoAddress(Identifier):
    """A wallet address, its checksum verified where the asset has one."""

    type: Literal["crypto_address"]
    asset: Asset
    address: Annotated[str, StringConstraints(min_length=10, max_length=MAX_ADDRESS, pattern=r"^[0-9A-Za-z:._-]+$")]
    exchange: Custodian | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        check = CHECKS.get(self.asset)
        if check is not None and not check(self.address):
            raise fault("bad_crypto_address", "The checksum is wrong, or the address is none of this asset.")
        return self

    def normal_form(self) -> dict[str, Any]:
        either_case = self.asset in CHECKS and (self.address.lower().startswith(("0x", "bc1", "ltc1")))
        return {
            "type": "crypto_address",
            "asset": self.asset,
            "address": self.address.lower() if either_case else self.address,
        }

    def remarks(self) -> Iterator[Remark]:
        if self.asset not in CHECKS:
            yield Remark(
                "address", "address_not_checked", "The checksum of this asset's addresses is not verified here."
            )
        elif _EVM.fullmatch(self.address) and self.address[2:] in {self.address[2:].lower(), self.address[2:].upper()}:
            yield Remark(
                "address", "address_not_checked", "Written in letters of one size, the address has no checksum."
            )
        if self.exchange is None:
            yield Remark(
                "exchange", "custodian_not_named", "An address is not a custodian: name the exchange if known."
            )


class CryptoTx(Identifier):
    """One transaction."""

    type: Literal["crypto_tx"]
    asset: Asset
    id: Annotated[str, StringConstraints(min_length=20, max_length=MAX_ADDRESS)]

    @model_validator(mode="after")
    def _is_an_id(self) -> Self:
        form = _HEX_64 if self.asset in CHECKS else _CHAIN_TEXT
        if form.fullmatch(self.id) is None:
            raise fault("bad_crypto_tx", "This is not the id of a transaction of this asset.")
        return self

    def normal_form(self) -> dict[str, Any]:
        value = self.id.lower().removeprefix("0x") if self.asset in CHECKS else self.id
        return {"type": "crypto_tx", "asset": self.asset, "id": value}
