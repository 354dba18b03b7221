"""Errors as problem documents (RFC 9457). The only place where a code meets an HTTP status."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import errors
from app.db.engine import is_passing
from app.errors import CounterpartError, FieldError
from app.routers.answers import NO_STORE, json_bytes
from app.routers.field_errors import parameter_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"

FAMILIES: Mapping[type[CounterpartError], HTTPStatus] = {
    errors.NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Unknown: HTTPStatus.NOT_FOUND,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Malformed: HTTPStatus.BAD_REQUEST,
    errors.Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What is not listed is our own fault: 500, without details."""

CODES: Mapping[str, HTTPStatus] = {
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "content_type_not_json": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "content_type_not_binary": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "content_encoding_not_supported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "too_many_streams": HTTPStatus.TOO_MANY_REQUESTS,
}
"""Codes that say it more exactly than their family."""

OF_FRAMEWORK: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("body_too_large", "The body is too large."),
}

RETRY_AFTER_SECONDS = 2
MAX_INSTANCE_LENGTH = 300


def problem(request: Request, fault: CounterpartError) -> Response:
    """The answer for `fault`."""
    return _answer(request, status_of(fault), fault)


def status_of(fault: CounterpartError) -> HTTPStatus:
    """By code where the code says more, else by family."""
    if fault.code in CODES:
        return CODES[fault.code]
    return next((FAMILIES[family] for family in type(fault).mro() if family in FAMILIES), UNEXPECTED)


UNEXPECTED = HTTPStatus.INTERNAL_SERVER_ERROR


def install(app: FastAPI) -> None:
    """Every error that leaves `app`, its framework's too, becomes a problem document."""
    app.add_exception_handler(CounterpartError, _ours)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(SQLAlchemyError, _storage)
    app.add_exception_handler(OSError, _storage)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, fault: Exception) -> Response:
    return problem(request, fault) if isinstance(fault, CounterpartError) else await _unexpected(request, fault)


async def _parameters(request: Request, fault: Exception) -> Response:
    found = fault.errors() if isinstance(fault, RequestValidationError) else ()
    return problem(
        request,
        errors.Refused(
            "parameters_invalid",
            "The query or a header breaks the rules listed in errors.",
            errors=parameter_errors(found),
        ),
    )


async def _framework(request: Request, fault: Exception) -> Response:
    status = HTTPStatus(fault.status_code) if isinstance(fault, HTTPException) else UNEXPECTED
    code, detail = OF_FRAMEWORK.get(
        status, (status.phrase.lower().replace(" ", "_"), status.description or status.phrase)
    )
    headers = fault.headers if isinstance(fault, HTTPException) else None
    return _answer(request, status, CounterpartError(code, detail), headers=headers)


async def _storage(request: Request, fault: Exception) -> Response:
    if not is_passing(fault):
        return await _unexpected(request, fault)
    return problem(
        request,
        errors.Unavailable(
            "storage_unavailable",
            "The database did not take this now. Send it again with the same Idempotency-Key.",
            retry_after=RETRY_AFTER_SECONDS,
        ),
    )


async def _unexpected(request: Request, fault: Exception) -> Response:
    request.app.state.runtime.log.error("request_failed", error=type(fault).__name__, request_id=request_id(request))
    return _answer(request, UNEXPECTED, CounterpartError("internal_error", "This node failed. The failure is logged."))


def request_id(request: Request) -> str:
    """The id that the edge gave this request, or took over from the client."""
    return str(request.scope.get("request_id", ""))


def document(request: Request, status: HTTPStatus, fault: CounterpartError) -> dict[str, Any]:
    """The members of the problem document of `fault`."""
    return {
        "type": f"urn:counterpart:problem:{fault.code}",
        "title": status.phrase,
        "status": int(status),
        "detail": fault.detail,
        "instance": quote(request.scope["path"][:MAX_INSTANCE_LENGTH]),
        "code": fault.code,
        "origin": "this_node" if status >= UNEXPECTED else "client",
        "request_id": request_id(request),
        "errors": [_field_error(error) for error in fault.errors],
        **fault.extra,
    }


def _field_error(error: FieldError) -> dict[str, str]:
    return {"pointer": error.pointer, "code": error.code, "detail": error.detail}


def _answer(
    request: Request, status: HTTPStatus, fault: CounterpartError, *, headers: Mapping[str, str] | None = None
) -> Response:
    content = json_bytes(document(request, status, fault))
    answer = Response(content, status, headers={**NO_STORE, **(headers or {})}, media_type=MEDIA_TYPE)
    answer.headers["X-Request-Id"] = request_id(request)
    if status == HTTPStatus.UNAUTHORIZED:
        error = "" if fault.code == "not_authenticated" else ', error="invalid_token"'
        answer.headers["WWW-Authenticate"] = f'Bearer realm="counterpart"{error}'
    if "retry_after" in fault.extra:
        answer.headers["Retry-After"] = str(fault.extra["retry_after"])
    return answer
