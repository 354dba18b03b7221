"""Crypto-assets: checksums of three families, against published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.identifiers.encodings import base58check, is_witness_address
from app.domain.identifiers.keccak import RATE, keccak_256
from app.domain.identifiers.wallets import is_evm_address
from tests.domain.identifiers.reading import fault_of, read, remarks

RIGHT = {
    "an address of a key": ("BTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    "an address of a script": ("BTC", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    "a witness address": ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    "a witness address in capitals": ("BTC", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    "a taproot address": ("BTC", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
    "Tether's address on Tron": ("TRX", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    "an Ethereum address with its capitals": ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    "an Ethereum address in small letters": ("ETH", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
    "an Ethereum address in capitals": ("ETH", "0x52908400098527886E0F7030069857D2E4169EE7"),
    "another asset": ("XMR", "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7"),
}
WRONG = {
    "one sign changed": ("BTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"),
    "a sign Base58 has not": ("BTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN0"),
    "the address of another asset": ("LTC", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    "a test network": ("BTC", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"),
    "a witness address with one sign changed": ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    "mixed case": ("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kV8f3t4"),
    "taproot under the old checksum": ("BTC", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"),
    "a version too high": ("BTC", "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R"),
    "a program too short": ("BTC", "bc1pw5dgrnzv"),
    "a program too long": ("BTC", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav"),
    "a first version of wrong length": ("BTC", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P"),
    "a sign Bech32 has not": ("BTC", "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4"),
    "padding that is not zero": ("BTC", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf"),
    "nothing behind the prefix": ("BTC", "bc1gmk9yu7"),
    "Ethereum with a wrong capital": ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"),
    "Ethereum a digit short": ("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"),
    "Ethereum without its prefix": ("ETH", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
}


@pytest.mark.parametrize(("asset", "address"), RIGHT.values(), ids=RIGHT.keys())
def test_right_address_is_taken(asset: str, address: str) -> None:
    """Addresses of published examples pass."""
    assert fault_of("crypto_address", asset=asset, address=address) == ""


@pytest.mark.parametrize(("asset", "address"), WRONG.values(), ids=WRONG.keys())
def test_wrong_address_is_refused(asset: str, address: str) -> None:
    """Wrong checksums, other networks, and the invalid examples of BIP 350."""
    assert fault_of("crypto_address", asset=asset, address=address) == "bad_crypto_address"


def test_address_has_one_normal_form() -> None:
    """Where case means nothing it is lowered; Base58 keeps it."""
    eth = read("crypto_address", asset="ETH", address=RIGHT["an Ethereum address with its capitals"][1])
    assert eth.normal_form()["address"] == "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    btc = read("crypto_address", asset="BTC", address="1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    assert btc.normal_form()["address"] == "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"


def test_unchecked_addresses_and_unnamed_custodians_are_pointed_out() -> None:
    """No checksum, no known asset, no exchange named: each gets its remark."""
    small = {"asset": "ETH", "address": "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}
    checked = {"asset": "BTC", "address": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"}
    large = {"asset": "ETH", "address": "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"}
    assert remarks("crypto_address", **small, exchange="Example Exchange") == {"address_not_checked"}
    assert remarks("crypto_address", **large, exchange="Example Exchange") == {"address_not_checked"}
    assert remarks("crypto_address", **checked) == {"custodian_not_named"}
    assert remarks("crypto_address", **checked, exchange="Example Exchange") == set()
    assert remarks("crypto_address", asset="XMR", address="4" * 40, exchange="E") == {"address_not_checked"}


def test_transaction_is_named_by_its_digest() -> None:
    """Sixty-four hexadecimal digits, with or without 0x, are one transaction; other chains have their own form."""
    digest = "A1" * 32
    for text in (digest, f"0x{digest}", digest.lower()):
        form = read("crypto_tx", asset="ETH", id=text).normal_form()
        assert form["id"] == digest.lower()
    assert read("crypto_tx", asset="SOL", id="5" * 60).normal_form()["id"] == "5" * 60
    assert fault_of("crypto_tx", asset="BTC", id="a1" * 31) == "bad_crypto_tx"
    assert fault_of("crypto_tx", asset="SOL", id="not a transaction id!!") == "bad_crypto_tx"


KECCAK = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
}


@pytest.mark.parametrize(("message", "digest"), KECCAK.items())
def test_keccak_gives_the_published_digests(message: bytes, digest: str) -> None:
    """The published digests of the original Keccak-256."""
    assert keccak_256(message).hex() == digest


@settings(deadline=None)
@given(st.integers(RATE - 3, RATE + 3))
def test_keccak_tells_lengths_apart_at_the_edge_of_a_block(length: int) -> None:
    """Around a whole block the padding still makes every length another digest."""
    assert keccak_256(bytes(length)) != keccak_256(bytes(length + 1))


@settings(deadline=None)
@given(st.text(max_size=100))
def test_any_text_is_an_address_or_not(text: str) -> None:
    """No text makes a decoder fail."""
    assert base58check(text) is None or text
    assert is_witness_address(text, "bc") in {True, False}
    assert is_evm_address(text) in {True, False}
