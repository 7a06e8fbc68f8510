"""The floor behind the least HTTP there can be: one route around `tests.bench.floor`. For information only.

`DATABASE_URL=… uvicorn tests.bench.floor_http:app --loop uvloop --no-access-log`
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from tests.bench.floor import BareGraphs, open_pool


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_pool(os.environ["DATABASE_URL"]) as pool:
        app.state.graphs = BareGraphs(pool)
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/ready")
async def ready() -> dict[str, str]:
    """Answered once the pool is open."""
    return {"status": "ready"}


@app.post("/graphs/{name}/invoke")
async def invoke(name: str, request: Request) -> Response:
    """Run a graph to its end."""
    body: dict[str, Any] = orjson.loads(await request.body())
    result = await request.app.state.graphs.invoke(name, body["input"], body["thread_id"])
    content = orjson.dumps({"result": result, "thread_id": body["thread_id"]})
    return Response(content, media_type="application/json")
