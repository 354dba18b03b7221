"""A node whose folders of fonts are empty: what its operator set decides what can be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import Clients, assert_problem, new_key
from tests.world.documents import document

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """The same node with folders in which no font is, one of which does not exist."""
    (tmp_path / "fonts").mkdir()
    return settings.model_copy(update={"fonts": f"{tmp_path}/fonts:{tmp_path}/nowhere"})


async def test_missing_font_is_named(client: Clients) -> None:
    """A form in Arabic is refused as PDF with the name of a package; as a page it is there, and so is one in French."""
    made = document(RequestType.EMERGENCY_DISCLOSURE)
    filed: dict[str, Any] = (await client("agency_officer").post("/v1/requests", json=made, headers=new_key())).json()
    path = f"/v1/requests/{filed['id']}/document"
    officer = client("duty_officer")
    answer = await officer.get(path, params={"format": "pdf", "lang": "ar"})
    problem = assert_problem(answer, 422, "font_missing")
    assert "fonts-hosny-amiri" in problem["detail"]
    assert "COUNTERPART_FONTS" in problem["detail"]
    assert {"arabic", "han"} == {one["script"] for one in problem["missing"]}
    assert (await officer.get(path, params={"lang": "ar"})).status_code == 200
