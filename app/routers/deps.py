"""What a route is given: who calls, a transaction, the time. Transactions of the HTTP side are opened here alone.

A command is committed before its answer is sent (`scope="function"`): the framework's default commits after it, and a
client would hold a 201 for something that does not exist.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.crashing import CrashPoint
from app.db.engine import ReadSession, Session, begin, reading
from app.domain.codes import Role
from app.errors import FieldError, Forbidden, NotAuthenticated, Refused
from app.routers.bodies import Body, read_body
from app.routers.refused import note_refusal
from app.runtime import Runtime
from app.services.authenticate import TokenRefused, authenticate
from app.services.node import Acting, Actor, Node
from app.services.recovery.closed import refuse_shut

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A token `cp_<id>_<secret>`, given out once by `counterpart tokens create`.",
)

MAX_NAME_LENGTH = 40
"""Of an unknown parameter's name that the answer repeats."""

READING = frozenset({"GET", "HEAD"})
"""Methods that go on while this node recovers: what is known can be read, and who read it is remembered."""

DESK = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR})
AGENCY = frozenset({Role.AGENCY_OFFICER, Role.AGENCY_VIEWER})
MONITORING = frozenset({Role.MONITOR, Role.SUPERVISOR, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Command:
    """One command: everything it writes is committed together before it is answered, or not at all."""

    session: Session
    runtime: Runtime
    actor: Actor
    now: datetime
    body: Body
    request: Request

    @property
    def node(self) -> Node:
        """The contact point that acts."""
        return self.runtime.node

    @property
    def acting(self) -> Acting:
        """What the services of a person's act are given."""
        return Acting(self.session, self.node, self.actor, self.now)


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent view of the database, for routes that change nothing."""

    session: ReadSession
    runtime: Runtime
    actor: Actor
    now: datetime
    request: Request

    @property
    def node(self) -> Node:
        """The contact point that is read."""
        return self.runtime.node


def runtime_of(request: Request) -> Runtime:
    """What this node has open."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def known_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Actor:
    """Who calls.

    Raises:
        NotAuthenticated: before anything of the request but its headers is looked at.
        Refused: the query has a parameter that this route does not know. A misspelt filter must not be passed over.
    """
    runtime = runtime_of(request)
    if credentials is None:
        raise NotAuthenticated("not_authenticated", "This needs a bearer token.")
    try:
        async with reading(runtime.engine) as session:
            caller = await authenticate(session, credentials.credentials, now=runtime.clock())
    except TokenRefused as refused:
        await note_refusal(runtime, request, credential=credentials.credentials, refused=refused)
        raise
    runtime.metrics.auth_attempts.labels(outcome="accepted").inc()
    _refuse_unknown_parameters(request)
    return caller


Caller = Annotated[Actor, Depends(known_caller)]


async def open_command(request: Request, caller: Caller) -> AsyncIterator[Command]:
    """Read the body, then open the transaction: a slow client holds no connection of the database.

    Raises Unavailable `recovering` for anything but reading while a recovery waits for its new log epoch.
    """
    runtime = runtime_of(request)
    body = await read_body(request)
    async with begin(runtime.engine) as session:
        if request.method not in READING:
            await refuse_shut(session)
        yield Command(session, runtime, caller, now=runtime.clock(), body=body, request=request)
        runtime.crash.here(CrashPoint.GATEWAY_BEFORE_COMMIT)
    # Committed. A crash here loses the answer, which the same Idempotency-Key brings again, and this hint: the loops
    # find the work when they next look by themselves.
    runtime.crash.here(CrashPoint.GATEWAY_BEFORE_ANSWER)
    runtime.wake.ring()


async def open_reading(request: Request, caller: Caller) -> AsyncIterator[Reading]:
    """A transaction in which the server itself refuses to write."""
    runtime = runtime_of(request)
    async with reading(runtime.engine) as session:
        yield Reading(session, runtime, caller, now=runtime.clock(), request=request)


Commanding = Annotated[Command, Depends(open_command, scope="function")]
ReadingOnly = Annotated[Reading, Depends(open_reading, scope="function")]


def require_role(actor: Actor, *roles: Role) -> None:
    """Raise Forbidden unless the caller has one of `roles`. On a thing that can be hidden: after it was found (404)."""
    if actor.role not in roles:
        raise Forbidden("role_not_allowed", "Your role may not do this.")


def needs(*roles: Role) -> Callable[[Actor], Awaitable[None]]:
    """A dependency for routes that only these roles may call at all: `dependencies=[Depends(needs(Role.MONITOR))]`."""

    async def check(caller: Caller) -> None:
        require_role(caller, *roles)

    return check


def _refuse_unknown_parameters(request: Request) -> None:
    route = request.scope.get("route")
    known = {field.alias for field in _parameters(route.dependant)} if isinstance(route, APIRoute) else set()
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        detail = "This route has no such parameter."
        errors = tuple(FieldError(f"?{name[:MAX_NAME_LENGTH]}", "unknown_parameter", detail) for name in unknown)
        raise Refused("parameters_invalid", "The query breaks the rules listed in errors.", errors=errors)


def _parameters(dependant: Dependant) -> Iterator[ModelField]:
    """What a route and everything it depends on read from the query."""
    yield from dependant.query_params
    for inner in dependant.dependencies:
        yield from _parameters(inner)
