"""A path told under art. 30 arrives: the next request is prepared, for the state of the provider or for our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import requests
from app.domain.documents import NORMALISED
from app.domain.exchange.tracing import new_paths, onward_document
from app.domain.instruments import state_of
from app.domain.intake import DraftOrigin
from app.services.draft_request import Draft, draft_request
from app.services.node import SYSTEM
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.exchange.values import Exchange, TrafficPath
    from app.services.node import Node


async def follow_traffic_paths(
    session: Session, node: Node, change: tuple[Exchange, Exchange], *, now: datetime
) -> None:
    """Make a draft for each path that is new in this change, from one value to the next.

    It waits in INTAKE for people, like any other request. A provider in our own state gives a draft to our own code: a
    domestic matter, which the desk sends another way. For a state of which the directory knows no contact point nothing
    can be prepared, and the desk is told so.
    """
    before, after = change
    for path in new_paths(before, after):
        await _follow(session, node, (after, path), now=now)


async def _follow(session: Session, node: Node, told: tuple[Exchange, TrafficPath], *, now: datetime) -> None:
    value, path = told
    source = await requests.load_for_exchange(session, value.id)
    if source is None:
        return
    detail: dict[str, Any] = {"provider": path.provider, "country": path.country}
    ids = {"reference": value.request_reference}
    requested = _contact_point(node, path)
    if requested is None:
        detail["hint"] = "no_contact_point"
    else:
        document = {name: member for name, member in source.document.items() if name != NORMALISED}
        draft = Draft(
            source=source,
            requested=requested,
            document=onward_document(document, value, path),
            origin=DraftOrigin.TRAFFIC_PATH,
        )
        prepared = await draft_request(session, node, draft, actor=SYSTEM, now=now)
        detail |= {"draft": prepared.reference, "hint": "domestic" if requested == node.code else "ask_the_state"}
        ids["draft_id"] = str(prepared.id)
    followed = Happening(
        kind="exchange",
        subject=value.id,
        event="traffic_path_followed",
        state=value.state,
        generation=value.generation,
        agency_id=source.agency_id,
        detail=detail,
        ids=ids,
    )
    await tell(session, node, followed, actor=SYSTEM, now=now)


def _contact_point(node: Node, path: TrafficPath) -> str | None:
    """The contact point of the provider's state; our own for our own state."""
    if path.country == state_of(node.code):
        return node.code
    codes = (point.code for point in node.directory.contact_points)
    return next((code for code in sorted(codes) if state_of(code) == path.country), None)
