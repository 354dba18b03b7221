"""The form as a page: semantic, without script, readable by whatever reads pages aloud, and fit to be printed."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template


def render_html(page: Mapping[str, Any]) -> str:
    """The page of a form (see `printing.to_page`). Every text of it is escaped."""
    columns = "two" if len(page["languages"]) > 1 else ""
    return _template().render(page=page, columns=columns, style=Markup(_style()))  # noqa: S704 - our own style sheet


@cache
def content_security_policy() -> str:
    """What a browser may load for the page: nothing but its own style, known by its digest."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("app.forms"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("form.html.jinja")


@cache
def _style() -> str:
    return resources.files("app.forms").joinpath("templates/form.css").read_text("utf-8")
