"""A log of three entries, signed by the key of docs/audit-log.md: every example here verifies."""

from __future__ import annotations

ORIGIN = "counterpart.example/xa/2026"
THREAD = "0193523a-7a00-7000-8000-000000000001"
COMMITMENT = "rbB7StqteuoijBfRvFHbMNCCa8MZDBHqxGMLdb8KkPA"

LEAF = (
    '{"actor":"u:8d02e6b4","at":"2026-11-22T09:30:00.000Z",'
    f'"c":[{{"alg":"HS256-JCS","f":"change","v":"{COMMITMENT}"}}],'
    f'"id":"01a20297-4dc0-7b4e-8db0-72b8d64b5cbc","log":"{ORIGIN}","n":"RkUwkOASnXAxPOiBcerhYw",'
    f'"thread":"{THREAD}","type":"case.changed","v":1}}'
)

SIGNATURE = "Sq3mL6LnmcRN11yw1A4sHsi5quO0tc1nFpjIIVFMLgwo2m3FtARAptULsqw59vf1pEIH0aaolFUT+yZ8N/ZaWhNvPAo="

CHECKPOINT = f"""{ORIGIN}
3
9+hQPM0forLT+A2fljVkoJ35UL5UlKd5calCQXg9ooo=

— {ORIGIN} {SIGNATURE}
"""

PROOF = f"""c2sp.org/tlog-proof@v1
index 2
vf3ZWRUoYydftEKubh4gafx5St2wqv+oP7QmeLZBbrc=

{CHECKPOINT}"""

CONSISTENCY = {"from": 2, "to": 3, "proof": ["AWl7KOLycSif9/OnR+og2w62pjkZGSaTeuPHcDoza48="]}

ENTRY = {
    "index": 2,
    "log": ORIGIN,
    "id": "01a20297-4dc0-7b4e-8db0-72b8d64b5cbc",
    "at": "2026-11-22T09:30:00.000Z",
    "type": "case.changed",
    "actor": "u:8d02e6b4",
    "thread": THREAD,
    "jti": None,
    "peer": None,
    "commitments": {"change": COMMITMENT},
    "leaf": LEAF,
}

CASE_ENTRY = {
    **ENTRY,
    "contents": {"change": {"event": "acknowledged", "state": "ACKNOWLEDGED", "generation": 2, "detail": {}}},
    "erased": [],
    "altered": [],
}
