"""A client, async and sync, for the self-hosted LangGraph platform.

    async with LangGraphClient("https://agents.example.com", api_key) as client:
        answer = await client.invoke("research_agent", {"query": "…"}, thread_id="user-123")

`LangGraphClient` and `SyncLangGraphClient` have the same calls; each is written once, as a flow without
input or output of its own (`_runs`, `_threads`, `_streams`, `_attachments`), and the two only perform it.
Everything they raise about a call is a `LangGraphError`; the tree is drawn in `_errors`.
"""

from langgraph_client._aio import AsyncAttachments, LangGraphClient
from langgraph_client._blocking import SyncAttachments, SyncLangGraphClient
from langgraph_client._errors import (
    ApiError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    Forbidden,
    LangGraphError,
    NotFound,
    NothingToResume,
    Problem,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunTimedOut,
    ThreadBusy,
    ThreadOfAnotherGraph,
    TimedOut,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from langgraph_client._models import (
    Attachment,
    Checkpoint,
    Graph,
    Health,
    Interrupt,
    OnBusy,
    OnDisconnect,
    Page,
    Run,
    RunConfig,
    RunFault,
    RunResult,
    RunStatus,
    State,
    StreamEvent,
    StreamMode,
    Thread,
    ThreadStatus,
)
from langgraph_client._retry import Retry

__all__ = [
    "ApiError",
    "AsyncAttachments",
    "Attachment",
    "BadRequest",
    "Checkpoint",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "Graph",
    "Health",
    "Interrupt",
    "LangGraphClient",
    "LangGraphError",
    "NotFound",
    "NothingToResume",
    "OnBusy",
    "OnDisconnect",
    "Page",
    "Problem",
    "Retry",
    "Run",
    "RunCancelled",
    "RunConfig",
    "RunFailed",
    "RunFault",
    "RunFinished",
    "RunResult",
    "RunStatus",
    "RunTimedOut",
    "State",
    "StreamEvent",
    "StreamMode",
    "SyncAttachments",
    "SyncLangGraphClient",
    "Thread",
    "ThreadBusy",
    "ThreadOfAnotherGraph",
    "ThreadStatus",
    "TimedOut",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
]
