"""How a person reaches the people behind a contact point when the machines do not reach each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.directory import Directory


def how_to_call(directory: Directory, code: str) -> str:
    """Return `XT on +999… (label; ask for …)` for the number that is called first, to stand behind "Telephone".

    Where the directory does not know the code it says where else to look.
    """
    point = directory.point(code)
    if point is None:
        return f"{code} (it is not in our directory: the registrar has older versions and other ways)"
    first = min(point.phones, key=lambda phone: phone.priority)
    asked = "" if point.ask_for is None else f"; ask for {point.ask_for}"
    return f"{code} on {first.number} ({first.label}{asked})"
