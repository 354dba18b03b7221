"""docs/law.md shows the tables as the packaged law has them."""

from __future__ import annotations

from app.domain.law import SHAPES, SUFFIX
from tests.domain.law.page import PAGE, TABLES, with_tables


def test_the_tables_are_those_of_the_data() -> None:
    """A lawyer reads in the page what the program goes by; `python -m tests.domain.law.page` writes them anew."""
    page = PAGE.read_text("utf-8")
    assert with_tables(page) == page


def test_a_changed_cell_is_noticed() -> None:
    """The negative control: a page with another provision differs."""
    page = PAGE.read_text("utf-8")
    assert "29(5)(b)" in page
    changed = page.replace("29(5)(b)", "29(5)(c)")
    assert with_tables(changed) != changed


def test_the_page_names_every_file_and_table() -> None:
    """Whoever edits the law finds each file explained."""
    page = PAGE.read_text("utf-8")
    for name in SHAPES:
        assert f"`{name}{SUFFIX}`" in page
    for name in TABLES:
        assert f"<!-- {name} -->" in page
