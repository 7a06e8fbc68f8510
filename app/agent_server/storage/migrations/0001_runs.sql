create schema if not exists agent;

create table agent.threads (
    thread_key uuid primary key,
    tenant text not null,
    thread_id text not null,
    graph text not null,
    -- how it was left; it is busy, whatever this says, while one of its runs is pending or running
    status text not null default 'idle' check (status in ('idle', 'interrupted', 'error')),
    -- how the last run ended; a run that was cut short may have left tool calls open
    last_outcome text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant, thread_id)
);
create index threads_newest on agent.threads (tenant, created_at desc);

create table agent.runs (
    run_id uuid primary key,
    thread_key uuid not null references agent.threads on delete cascade,
    tenant text not null,
    graph text not null,
    kind text not null check (kind in ('input', 'resume', 'state')),
    status text not null
        check (status in ('pending', 'running', 'success', 'interrupted', 'error', 'timeout', 'cancelled')),
    -- order of arrival: the queue of a thread
    seq bigint generated always as identity,
    payload text not null,
    created_by text not null,
    request_id text not null,

    -- the fencing token: each claim raises it, and a write under an older one is refused
    attempt integer not null default 0,
    crashes integer not null default 0,
    lease_expires_at timestamptz,
    cancel_requested boolean not null default false,
    -- the request that asked for it
    cancel_token uuid,
    -- somebody in another process waits for news of this run
    watched boolean not null default false,

    result text,
    interrupts text,
    error_code text,
    error_detail text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz
);
create unique index runs_one_running_per_thread on agent.runs (thread_key) where status = 'running';
create index runs_queue on agent.runs (thread_key, seq) where status in ('pending', 'running');
create index runs_of_thread on agent.runs (thread_key, seq desc);
create index runs_of_graph on agent.runs (tenant, graph, seq desc);
create index runs_ended on agent.runs (finished_at) where finished_at is not null;

create table agent.run_events (
    run_id uuid not null references agent.runs on delete cascade,
    attempt integer not null,
    first_seq integer not null,
    last_seq integer not null,
    -- whole server-sent frames, one after the other
    frames bytea not null,
    primary key (run_id, attempt, first_seq)
);

create table agent.idempotency_keys (
    tenant text not null,
    route text not null,
    key text not null,
    fingerprint text not null,
    run_id uuid not null references agent.runs on delete cascade,
    created_at timestamptz not null default now(),
    primary key (tenant, route, key)
);
create index idempotency_keys_run on agent.idempotency_keys (run_id);
create index idempotency_keys_age on agent.idempotency_keys (created_at);

create table agent.api_keys (
    key_id uuid primary key,
    tenant text not null,
    name text not null,
    prefix text not null,
    hmac bytea not null unique,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_of_tenant on agent.api_keys (tenant, created_at);

create table agent.audit_log (
    entry bigint generated always as identity primary key,
    at timestamptz not null default now(),
    tenant text not null,
    subject text not null,
    action text not null,
    target text not null,
    detail jsonb not null default '{}'
);
create index audit_log_of_tenant on agent.audit_log (tenant, entry desc);

create unique index audit_log_one_answer_a_run on agent.audit_log ((detail ->> 'run_id'))
    where action = 'interrupt.answer';

create function agent.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'agent.audit_log is append-only';
end
$$;
create trigger audit_log_append_only before update or delete or truncate on agent.audit_log
    for each statement execute function agent.refuse_change();

-- How far the sweeps of `storage/retention.py` have come, and until when one process has its turn with them.
create table agent.retention (
    mark text primary key,
    at timestamptz,
    thread_key uuid
);
