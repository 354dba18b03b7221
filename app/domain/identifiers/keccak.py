"""Keccak-256 with the original padding, for the checksum in Ethereum addresses (EIP-55).

The standard library has SHA3-256, which pads differently and gives other digests. Used for checking a checksum only,
never to protect anything.
"""

from __future__ import annotations

RATE = 136
"""Bytes absorbed per round of the permutation: 1088 of the 1600 bits."""
DIGEST = 32

_MASK = (1 << 64) - 1
_ROUNDS = 24


def keccak_256(message: bytes) -> bytes:
    """The digest of `message`, 32 bytes."""
    filler = RATE - len(message) % RATE
    padded = bytearray(message + bytes(filler))
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE):
        for lane in range(RATE // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes)[:DIGEST]


def _turn(lane: int, places: int) -> int:
    return ((lane << places) | (lane >> (64 - places))) & _MASK if places else lane


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]; lane (x, y) is element x + 5·y."""
    register = 1
    for _ in range(_ROUNDS):
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[(x - 1) % 5] ^ _turn(columns[(x + 1) % 5], 1) for x in range(5)]
        moved = _rho_and_pi([lane ^ mixed[place % 5] for place, lane in enumerate(lanes)])
        lanes = [
            moved[place] ^ (~moved[5 * (place // 5) + (place + 1) % 5] & moved[5 * (place // 5) + (place + 2) % 5])
            for place in range(25)
        ]
        constant, register = _round_constant(register)
        lanes[0] ^= constant
    return lanes


def _rho_and_pi(lanes: list[int]) -> list[int]:
    moved = [lanes[0]] + [0] * 24
    x, y, places = 1, 0, 0
    for step in range(24):
        places = (places + step + 1) % 64
        x, y, lane = y, (2 * x + 3 * y) % 5, lanes[x + 5 * y]
        moved[x + 5 * y] = _turn(lane, places)
    return moved


def _round_constant(register: int) -> tuple[int, int]:
    """The constant of a round and the shift register after it."""
    constant = 0
    for exponent in range(7):
        if register & 1:
            constant |= 1 << ((1 << exponent) - 1)
        register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return constant, register
