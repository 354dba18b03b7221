"""The interface for people: Swagger UI, served from this node. The page loads nothing from anywhere else."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, Response

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).parent.parent / "static" / "swagger"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterpart: interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="interface"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""

ONE_DAY = {"Cache-Control": "public, max-age=86400"}


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(
        PAGE, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "no-referrer"}
    )


@router.get("/docs/start.js")
async def start() -> Response:
    """What the page runs; a file of its own, since the policy allows no script inside the page."""
    return Response(START, media_type="text/javascript", headers=ONE_DAY)


@router.get("/docs/swagger-ui.css")
async def stylesheet() -> FileResponse:
    """Swagger UI's own stylesheet."""
    return FileResponse(FOLDER / "swagger-ui.css", media_type="text/css", headers=ONE_DAY)


@router.get("/docs/swagger-ui-bundle.js")
async def script() -> FileResponse:
    """Swagger UI itself."""
    return FileResponse(FOLDER / "swagger-ui-bundle.js", media_type="text/javascript", headers=ONE_DAY)
