"""The scripted day: what happens, step by step, and what must then be seen on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.demo.asking import asking
from app.demo.assisting import assisting
from app.demo.at_home import declining, proving
from app.demo.calling import calling
from app.demo.emergencies import emergencies
from app.demo.offering import offering
from app.demo.preserving import preserving

if TYPE_CHECKING:
    from app.demo.day import Step


def steps() -> list[Step]:
    """The day in order: each type of request has its place in it."""
    return [
        *preserving(),
        *asking(),
        *assisting(),
        *offering(),
        *emergencies(),
        *calling(),
        *declining(),
        *proving(),
    ]
