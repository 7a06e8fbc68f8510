"""The FastAPI listing this platform set out from, made to run and otherwise left as it was.

Kept: a saver, a connection and `setup()` for every request, a compile for every request, LangGraph's default
durability, its models, routes, log lines and error handling, CORS as written, uvicorn's access log.
Changed, and nothing else:

- its asyncpg pool, which only the readiness check used, is a psycopg pool of the same 5 to 20 connections
  (asyncpg is not in the lock, and the pool never carries a request's work);
- its `setup_checkpointer_tables(pool)` goes through a saver of its own, as each request's does;
- its graph registry holds the graphs of this benchmark;
- `json.dumps` of an event gets `default=str`, without which the first message ends the stream;
- the caller's config is read as the listing's author meant it: named keys cannot replace `thread_id`.

`DATABASE_URL=… uvicorn tests.bench.listing:app --loop uvloop`
"""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.types import Command
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field
from tests.bench.graphs.trivial import BUILDERS as GRAPHS

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

DATABASE_URL = os.environ["DATABASE_URL"]
POOL_MIN_SIZE, POOL_MAX_SIZE = 5, 20


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the pool of the readiness check and create the tables."""
    logger.info("starting")
    async with AsyncConnectionPool(
        DATABASE_URL, min_size=POOL_MIN_SIZE, max_size=POOL_MAX_SIZE, open=False
    ) as pool:
        app.state.pool = pool
        async with AsyncPostgresSaver.from_conn_string(DATABASE_URL) as checkpointer:
            await checkpointer.setup()
        yield
        logger.info("stopping")


app = FastAPI(title="LangGraph Production API", version="1.0.0", lifespan=lifespan)
app.add_middleware(
    CORSMiddleware,
    allow_origins=os.getenv("ALLOWED_ORIGINS", "*").split(","),
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)


class InvokeRequest(BaseModel):
    """What invoke and stream take."""

    input: dict[str, Any] = Field(..., description="input state")
    thread_id: str = Field(..., description="thread")
    config: dict[str, Any] | None = Field(None, description="more configuration")


class ResumeRequest(BaseModel):
    """What resume takes."""

    thread_id: str = Field(..., description="thread to resume")
    resume_data: Any = Field(..., description="what to resume it with")


class InvokeResponse(BaseModel):
    """What invoke and resume answer."""

    result: dict[str, Any]
    thread_id: str


class HealthResponse(BaseModel):
    """What the probes answer."""

    status: str
    version: str
    database: str


def get_compiled_graph(graph_name: str, checkpointer: AsyncPostgresSaver) -> Any:
    """Compile a graph of the registry with a saver."""
    if graph_name not in GRAPHS:
        raise HTTPException(404, detail=f"graph '{graph_name}' not found. Available: {list(GRAPHS)}")
    return GRAPHS[graph_name].compile(checkpointer=checkpointer)


@app.get("/health", response_model=HealthResponse)
async def health_check() -> HealthResponse:
    """Say that the process lives."""
    return HealthResponse(status="healthy", version="1.0.0", database="not_checked")


@app.get("/ready", response_model=HealthResponse)
async def readiness_check() -> HealthResponse:
    """Say whether the database answers."""
    try:
        async with app.state.pool.connection() as conn:
            await conn.execute("SELECT 1")
    except Exception as e:
        logger.exception("database check failed")
        raise HTTPException(503, detail=f"database unavailable: {e!s}") from e
    return HealthResponse(status="ready", version="1.0.0", database="connected")


@app.post("/graphs/{graph_name}/invoke", response_model=InvokeResponse)
async def invoke_graph(graph_name: str, request: InvokeRequest) -> InvokeResponse:
    """Run a graph and answer with its final state."""
    logger.info("invoke of '%s' on thread '%s'", graph_name, request.thread_id)
    try:
        async with AsyncPostgresSaver.from_conn_string(DATABASE_URL) as checkpointer:
            await checkpointer.setup()
            compiled_graph = get_compiled_graph(graph_name, checkpointer)
            configurable = request.config.get("configurable", {}) if request.config else {}
            config = {
                **(request.config or {}),
                "configurable": {**configurable, "thread_id": request.thread_id},
            }
            result = await compiled_graph.ainvoke(request.input, config)
            logger.info("invoke of '%s' on thread '%s' done", graph_name, request.thread_id)
            return InvokeResponse(result=result, thread_id=request.thread_id)
    except Exception as e:
        logger.exception("invoke failed")
        raise HTTPException(500, detail=f"graph failed: {e!s}") from e


@app.post("/graphs/{graph_name}/stream")
async def stream_graph(graph_name: str, request: InvokeRequest) -> StreamingResponse:
    """Stream the events of a run."""
    logger.info("stream of '%s' on thread '%s'", graph_name, request.thread_id)

    async def event_generator() -> AsyncIterator[str]:
        try:
            async with AsyncPostgresSaver.from_conn_string(DATABASE_URL) as checkpointer:
                await checkpointer.setup()
                compiled_graph = get_compiled_graph(graph_name, checkpointer)
                config = {"configurable": {"thread_id": request.thread_id}}
                async for event in compiled_graph.astream_events(request.input, config, version="v2"):
                    yield f"data: {json.dumps(event, default=str)}\n\n"
                yield 'data: {"event": "done"}\n\n'
        except Exception as e:
            logger.exception("stream failed")
            yield f"data: {json.dumps({'error': str(e)})}\n\n"

    return StreamingResponse(
        event_generator(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "Connection": "keep-alive"},
    )


@app.post("/graphs/{graph_name}/resume", response_model=InvokeResponse)
async def resume_graph(graph_name: str, request: ResumeRequest) -> InvokeResponse:
    """Resume a run that waits for a human."""
    logger.info("resume of '%s' on thread '%s'", graph_name, request.thread_id)
    try:
        async with AsyncPostgresSaver.from_conn_string(DATABASE_URL) as checkpointer:
            await checkpointer.setup()
            compiled_graph = get_compiled_graph(graph_name, checkpointer)
            config = {"configurable": {"thread_id": request.thread_id}}
            result = await compiled_graph.ainvoke(Command(resume=request.resume_data), config)
            logger.info("resume of '%s' on thread '%s' done", graph_name, request.thread_id)
            return InvokeResponse(result=result, thread_id=request.thread_id)
    except Exception as e:
        logger.exception("resume failed")
        raise HTTPException(500, detail=f"resume failed: {e!s}") from e
