"""Write docs/vectors: keys, directories, a conversation byte by byte, bodies good and bad. A test compares."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "vectors"
sys.path.insert(0, str(ROOT))

from app.envelope.file_cipher import close_chunk  # noqa: E402 - run as a file, the project is not on the path before
from app.envelope.format import encode_part  # noqa: E402 - (as above)
from tests.protocol.bodies import bad_bodies, good_bodies  # noqa: E402 - (as above)
from tests.protocol.conversation import conversation  # noqa: E402 - (as above)
from tests.protocol.sealing import close_fixed, drawn  # noqa: E402 - (as above)
from tests.protocol.stage import directory, private_jwks, private_keys  # noqa: E402 - (as above)

NOTE = "These keys protect nothing."


def contents() -> dict[str, Any]:
    """Name of each file and the document in it."""
    steps = conversation()
    return {
        "keys.json": {"about": NOTE, "keys": private_jwks()},
        "directory-41.json": _document(41),
        "directory-42.json": _document(42),
        "key-agreement.json": _agreement(steps[0]),
        "conversation.json": {"about": "XA asks XT to preserve data; section 22 of protocol.md.", "steps": steps},
        "file.json": _file(),
        "bodies.json": {"good": good_bodies(), "bad": bad_bodies()},
    }


def _document(version: int) -> Any:  # noqa: ANN401 - a JSON document
    return directory(version).model_dump(mode="json", exclude_none=True)


def _agreement(step: dict[str, Any]) -> dict[str, Any]:
    """Every value on the way to the first envelope of the conversation."""
    kid = "XT-enc-2026a"
    recipient = {"kid": kid, "x": encode_part(private_keys()[kid].public_key.public_bytes_raw())}
    names = {"iss": step["from"], "aud": step["to"], "copy": step["copy"]}
    seed = f"{step['claims']['jti']} {step['copy']} {step['kid']}"
    return {"about": "Step 1 of the conversation, value by value (5.4).", "at": step["at"]} | close_fixed(
        step["text"], names, recipient, seed=seed
    )


def _file() -> dict[str, Any]:
    """A file of one piece (15)."""
    file_id, key, plain = UUID("019a9f5e-7c00-7000-8000-0000000000f1"), drawn("file key", 32), b"Two lines of a log.\n"
    closed = close_chunk(plain, key, file_id=file_id, number=1, chunks=1)
    named = {
        "file_id": str(file_id),
        "name": "log.txt",
        "media_type": "text/plain",
        "size": len(plain),
        "sha256": encode_part(hashlib.sha256(plain).digest()),
        "key": encode_part(key),
        "chunks": 1,
    }
    piece = {"file_id": str(file_id), "number": 1, "chunks": 1, "ciphertext": encode_part(closed)}
    nonce, bound = (1).to_bytes(12, "big"), f"{file_id}:1:1"
    return {
        "about": "A file of one piece: section 15 of protocol.md.",
        "content": encode_part(plain),
        "attachments": [named],
        "nonce": encode_part(nonce),
        "additional_data": bound,
        "thread": f"att:{file_id}",
        "body": piece,
    }


def texts() -> dict[str, str]:
    """Name of each file and what belongs into it."""
    return {name: json.dumps(document, indent=1, ensure_ascii=False) + "\n" for name, document in contents().items()}


def main() -> None:
    """Write every file; envelopes.json is frozen and written by nobody."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(texts())} files in docs/vectors")


if __name__ == "__main__":
    main()
