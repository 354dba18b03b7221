"""The closed list of request types."""

from __future__ import annotations

from app.domain.codes import RequestType
from app.domain.deadlines import Step
from app.domain.documents.kinds import KINDS
from app.domain.request_types import REQUEST_KINDS, Hold, Opening, fileable_types

T = RequestType


def test_every_type_has_its_row() -> None:
    """Fifteen types, fifteen rows."""
    assert set(REQUEST_KINDS) == set(RequestType)
    assert len(REQUEST_KINDS) == 15


def test_every_type_that_can_be_filed_has_its_document() -> None:
    """A type can be filed exactly if the node can check and publish its document; both lists have one order."""
    assert fileable_types() == tuple(KINDS)


def test_acts_and_test_calls_cannot_be_filed() -> None:
    """Ruling 18: a traffic path disclosure is an act, ping and drill are test calls; all else can be filed."""
    assert {type_ for type_, row in REQUEST_KINDS.items() if not row.fileable} == {
        T.TRAFFIC_PATH_DISCLOSURE,
        T.PING,
        T.DRILL,
    }


def test_extension_becomes_an_act_on_the_hold() -> None:
    """An extension is filed like a request and extends a hold instead of creating one."""
    row = REQUEST_KINDS[T.PRESERVATION_EXTENSION]
    assert (row.opening, row.hold, row.fileable) == (Opening.HOLD_ACT, Hold.EXTENDS, True)


def test_only_a_preservation_creates_a_hold_and_returns_no_data() -> None:
    """Preservation is not disclosure."""
    assert [type_ for type_, row in REQUEST_KINDS.items() if row.creates_hold] == [T.PRESERVATION]
    assert REQUEST_KINDS[T.PRESERVATION].returns == ""
    assert Step.PRESERVED in REQUEST_KINDS[T.PRESERVATION].steps


def test_every_request_rests_on_articles_and_says_what_it_is() -> None:
    """Each fileable row names its root and carries a note for people."""
    assert all(row.root and row.note for row in REQUEST_KINDS.values() if row.fileable)
