import json
import os
import signal
import sys
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

import psycopg

from agent_server import web
from agent_server.storage.fingerprint import schema_fingerprint


def load() -> None:
    config = Path(os.environ["LANGGRAPH_CONFIG"])
    for name, target in json.loads(config.read_text())["graphs"].items():
        file = config.parent / target.partition(":")[0]
        try:
            exec(compile(file.read_text(), str(file), "exec"), {})
        except Exception as error:  # noqa: BLE001  # a graph may raise anything
            sys.exit(f"graph {name} cannot be loaded: {error}")
        web.GRAPHS.append(name)


def serve() -> None:
    load()
    if os.environ.get("STANDIN_DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    psycopg.connect(os.environ["DATABASE_URL"]).close()
    server = ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), web.Handler)
    print("serving as", os.getpid(), flush=True)
    server.serve_forever(poll_interval=0.05)


def migrate() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("create schema if not exists agent")
        connection.execute("create table if not exists agent.migrations (name text primary key)")
        connection.execute("create table if not exists agent.migrated (at timestamptz default now())")
        connection.execute("insert into agent.migrated default values")
        name = f"fingerprint:{schema_fingerprint()}"
        connection.execute("insert into agent.migrations values (%s) on conflict do nothing", [name])
    time.sleep(float(os.environ.get("STANDIN_MIGRATE_SECONDS", "0")))


def tell() -> None:
    names = ("DATABASE_URL", "LANGGRAPH_CONFIG", "API_KEY_PEPPER", "ATTACHMENTS_DIR")
    told = {name: os.environ.get(name) for name in names}
    print(json.dumps({"arguments": sys.argv[1:], **told}))


VERBS = {"serve": serve, "migrate": migrate, "graphs": load}
(tell if os.environ.get("STANDIN_TELL") else VERBS.get(sys.argv[1], tell))()
