"""Suffixes of two labels under which the public registers names: a request for one would name everybody below it.

Only registries' own well-known suffixes; the list need not be complete, because a single label is refused anyway.
"""

from __future__ import annotations

_REGISTRIES = {
    "ar": "com edu gob net org",
    "au": "com edu gov id net org",
    "bd": "com edu gov net org",
    "br": "com edu gov jus mil net org",
    "cn": "ac com edu gov net org",
    "co": "com edu gov net org",
    "cy": "ac com gov net org",
    "eg": "com edu gov net org",
    "gh": "com edu gov org",
    "hk": "com edu gov idv net org",
    "id": "ac co desa go net or web",
    "il": "ac co gov muni net org",
    "in": "ac co edu firm gen gov ind net nic org res",
    "jp": "ac ad co ed go gr lg ne or",
    "ke": "ac co go ne or",
    "kr": "ac co go ne or pe re",
    "lk": "com edu gov net org",
    "ma": "ac co gov net org",
    "mx": "com edu gob net org",
    "my": "com edu gov name net org",
    "ng": "com edu gov net org",
    "np": "com edu gov net org",
    "nz": "ac co geek gen govt iwi maori net org school",
    "pe": "com edu gob net org",
    "ph": "com edu gov net org",
    "pk": "com edu gov net org",
    "pl": "com edu gov net org",
    "sa": "com edu gov net org",
    "sg": "com edu gov net org per",
    "th": "ac co go in mi net or",
    "tr": "av bel com edu gen gov k12 net org pol web",
    "tw": "club com ebiz edu game gov idv net org",
    "tz": "ac co go ne or",
    "ua": "com edu gov in kiev kyiv lviv net odessa org",
    "ug": "ac co com go ne or org",
    "uk": "ac co gov ltd me net nhs org plc police sch",
    "uy": "com edu gub net org",
    "ve": "co com edu gob net org web",
    "vn": "ac com edu gov net org",
    "za": "ac co edu gov law net org school web",
}

PUBLIC_SUFFIXES = frozenset(f"{label}.{country}" for country, labels in _REGISTRIES.items() for label in labels.split())
