"""The one choke point of the API: a route says what it needs, and is reached by nobody else."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from agent_server.core.errors import ForbiddenRole
from agent_server.core.principal import Permission, Principal, roles_with
from agent_server.http.access import Access
from agent_server.http.description import described
from agent_server.storage.rates import Rates

Endpoint = Callable[[Principal, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A line of the contract's table: what it needs is not left out."""

    method: str
    path: str
    needs: Permission
    endpoint: Endpoint
    body: type[BaseModel] | None = None


def make_guarded(access: Access, rates: Rates, routes: Iterable[Route]) -> APIRouter:
    """Return a router whose endpoints are told who asks, once they may and do not ask too often."""
    router = APIRouter()
    for route in routes:
        router.add_api_route(
            route.path,
            _guarded(access, rates, route),
            methods=[route.method],
            name=getattr(route.endpoint, "__name__", route.path),
            description=route.endpoint.__doc__,
            openapi_extra=described(route.path, route.body),
        )
    return router


def _subjects(request: Request) -> dict[str, str]:
    """What the request's address says it is about, for all that is logged while it is answered."""
    params = request.path_params
    found = {
        "graph": params.get("name"),
        "run_id": params.get("run_id"),
        "thread_id": params.get("thread_id") or request.query_params.get("thread_id"),
    }
    return {name: value for name, value in found.items() if value}


def _guarded(access: Access, rates: Rates, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(**_subjects(request))
        principal = await access.principal(request)
        await rates.admit(principal)
        if not principal.may(route.needs):
            raise ForbiddenRole(principal.role, roles_with(route.needs))
        return await route.endpoint(principal, request)

    return answer
