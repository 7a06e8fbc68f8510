-- begin (5 s)
-- Makes the thread if need be and the run, claimed by the caller unless it has to wait.
-- A null thread_key: the thread belongs to another graph. A null run_status: the thread is busy. A run that an
-- earlier execution of this very statement has begun is found again; `pending` then also says that another process
-- has it. `is_full`: the tenant has as many runs as it may, and nothing was changed; those that begin in the same
-- moment do not see each other.
with mine as (
    select case when status = 'running' and attempt = 1 and started_at = created_at then 'running' else 'pending' end
        as status
    from agent.runs where run_id = %(run_id)s and tenant = %(tenant)s
), tenant as (
    select %(runs_max)s > 0 and not exists (select 1 from mine) and exists (
        select 1 from agent.runs where tenant = %(tenant)s and status in ('pending', 'running')
        limit 1 offset greatest(%(runs_max)s - 1, 0)
    ) as is_full
), thread as (
    insert into agent.threads as t (thread_key, tenant, thread_id, graph, status)
    select %(new_key)s, %(tenant)s, %(thread_id)s, %(graph)s, 'idle' from tenant where not tenant.is_full
    on conflict (tenant, thread_id) do update set updated_at = now()
        where t.graph = excluded.graph
    returning thread_key, xmax = 0 as is_new, last_outcome
), active as (
    select exists (
        select 1 from agent.runs r, thread
        where r.thread_key = thread.thread_key and r.status in ('pending', 'running')
    ) as busy
), run as (
    insert into agent.runs (
        run_id, thread_key, tenant, graph, kind, payload, created_by, request_id, traceparent,
        status, attempt, lease_expires_at, started_at
    )
    select
        %(run_id)s, thread.thread_key, %(tenant)s, %(graph)s, %(kind)s, %(payload)s, %(subject)s, %(request_id)s,
        %(traceparent)s,
        case when active.busy then 'pending' else 'running' end,
        case when active.busy then 0 else 1 end,
        case when active.busy then null else now() + make_interval(secs => %(lease)s) end,
        case when active.busy then null else now() end
    from thread, active
    where (not active.busy or %(enqueue)s) and not exists (select 1 from mine)
    returning status
), key as (
    insert into agent.idempotency_keys (tenant, route, key, fingerprint, run_id)
    select %(tenant)s, %(route)s, %(key)s::text, %(fingerprint)s, %(run_id)s from run where %(key)s::text is not null
)
select
    tenant.is_full,
    thread.thread_key, thread.is_new, thread.last_outcome, coalesce(run.status, mine.status) as run_status,
    case when run.status = 'pending' then pg_notify('agent', 'queue') end
from tenant left join thread on true left join run on true left join mine on true

-- begin_on_thread (5 s)
-- The same for a thread that has to exist: resume and state updates. A null thread_key: it does not.
with mine as (
    select case when status = 'running' and attempt = 1 and started_at = created_at then 'running' else 'pending' end
        as status
    from agent.runs where run_id = %(run_id)s and tenant = %(tenant)s
), tenant as (
    select %(runs_max)s > 0 and not exists (select 1 from mine) and exists (
        select 1 from agent.runs where tenant = %(tenant)s and status in ('pending', 'running')
        limit 1 offset greatest(%(runs_max)s - 1, 0)
    ) as is_full
), thread as (
    select t.thread_key, t.last_outcome from agent.threads t, tenant
    where t.tenant = %(tenant)s and t.thread_id = %(thread_id)s and t.graph = %(graph)s and not tenant.is_full
    for update of t
), active as (
    select exists (
        select 1 from agent.runs r, thread
        where r.thread_key = thread.thread_key and r.status in ('pending', 'running')
    ) as busy
), run as (
    insert into agent.runs (
        run_id, thread_key, tenant, graph, kind, payload, created_by, request_id, traceparent,
        status, attempt, lease_expires_at, started_at
    )
    select
        %(run_id)s, thread.thread_key, %(tenant)s, %(graph)s, %(kind)s, %(payload)s, %(subject)s, %(request_id)s,
        %(traceparent)s,
        'running', 1, now() + make_interval(secs => %(lease)s), now()
    from thread, active
    where not active.busy and not exists (select 1 from mine)
    returning status
), key as (
    insert into agent.idempotency_keys (tenant, route, key, fingerprint, run_id)
    select %(tenant)s, %(route)s, %(key)s::text, %(fingerprint)s, %(run_id)s from run where %(key)s::text is not null
)
select
    tenant.is_full,
    thread.thread_key, false as is_new, thread.last_outcome, coalesce(run.status, mine.status) as run_status
from tenant left join thread on true left join run on true left join mine on true

-- by_key (5 s)
select run_id, fingerprint from agent.idempotency_keys
where tenant = %(tenant)s and route = %(route)s and key = %(key)s
    and created_at > now() - make_interval(secs => %(seconds)s)

-- drop_expired_key (5 s)
delete from agent.idempotency_keys
where tenant = %(tenant)s and route = %(route)s and key = %(key)s
    and created_at <= now() - make_interval(secs => %(seconds)s)

-- accept_resume (5 s)
-- The answers fit what waits: who answered is on record, once a run.
-- The run keeps them by interrupt id: after a crash, none of them may reach a later interrupt.
with run as (
    update agent.runs set payload = %(payload)s
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    returning run_id, thread_key
), audit as (
    insert into agent.audit_log (tenant, subject, action, target, detail)
    select
        %(tenant)s, %(subject)s, 'interrupt.answer', t.thread_id,
        %(detail)s::jsonb || jsonb_build_object('run_id', run.run_id)
    from run join agent.threads t using (thread_key)
    on conflict do nothing
)
select thread_key from run

-- refuse_own (5 s)
-- A row, and an entry in the audit, where this run's subject may not answer what waits: it has brought the thread
-- there, by input or by writing to its state, since a run of the thread last came to its end. Or nobody knows any
-- more who has.
with run as (
    select run_id, thread_key, tenant, graph, kind, created_by from agent.runs
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
), starters as (
    select r.created_by from agent.runs r, run
    where r.thread_key = run.thread_key and r.run_id <> run.run_id and r.kind in ('input', 'state')
        and r.attempt > 0 and r.seq > coalesce((
            select max(e.seq) from agent.runs e
            where e.thread_key = run.thread_key and e.status = 'success' and e.kind <> 'state'
        ), 0)
), own as (
    select run.* from run
    where run.created_by in (select created_by from starters) or not exists (select 1 from starters)
), audit as (
    insert into agent.audit_log (tenant, subject, action, target, detail)
    select
        own.tenant, own.created_by, 'interrupt.refused', t.thread_id,
        jsonb_build_object('graph', own.graph, 'kind', own.kind, 'run_id', own.run_id)
    from own join agent.threads t using (thread_key)
    on conflict do nothing
)
select 1 as refused from own

-- abandon (5 s)
-- A run that was refused under its lease leaves no trace.
delete from agent.runs where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running' returning run_id

-- renew (4 s)
-- Leases are locked in the order of run ids here and in every write that is fenced, so they never dead-lock.
with mine as (
    select r.run_id, r.attempt, r.cancel_requested
    from agent.runs r
    join unnest(%(run_ids)b::uuid[], %(attempts)b::int[]) as held (run_id, attempt)
        on held.run_id = r.run_id and held.attempt = r.attempt
    where r.status = 'running'
    order by r.run_id
    for update of r
)
update agent.runs r set lease_expires_at = now() + make_interval(secs => %(lease)s)
from mine where r.run_id = mine.run_id
returning r.run_id, mine.cancel_requested

-- claim (10 s)
-- Takes what nobody executes: the next of each idle thread's queue, and runs whose lease has run out. Just after
-- a restart of PostgreSQL that says nothing about the processes, which could not renew, and is not counted.
-- Suspects, which would have two crashes or more, are claimed apart from the others.
with restart as (
    select pg_postmaster_start_time() > now() - make_interval(secs => %(lease)s) as was_recent
), free as (
    select r.run_id, r.status = 'running' as crashed, not restart.was_recent as counts
    from agent.runs r, restart
    where r.run_id <> all (%(mine)s::uuid[]) and r.graph = any (%(graphs)s::text[])
        and (r.crashes + (r.status = 'running' and not restart.was_recent)::int >= 2) = %(suspects)s
        and (
            (r.status = 'pending' and not exists (
                select 1 from agent.runs e
                where e.thread_key = r.thread_key
                    and (e.status = 'running' or e.status = 'pending' and e.seq < r.seq)
            ))
            or (
                r.status = 'running' and r.lease_expires_at < now()
                and (r.crashes + 1 < %(max_crashes)s or restart.was_recent)
            )
        )
    order by r.seq
    limit %(limit)s
    for update of r skip locked
)
update agent.runs r set
    status = 'running',
    attempt = r.attempt + 1,
    crashes = r.crashes + (free.crashed and free.counts)::int,
    lease_expires_at = now() + make_interval(secs => %(lease)s),
    started_at = coalesce(r.started_at, now())
from free, agent.threads t
where r.run_id = free.run_id and t.thread_key = r.thread_key
returning
    r.run_id, r.thread_key, r.tenant, r.graph, r.kind, r.payload, r.created_by, r.attempt,
    r.cancel_requested, r.watched, r.crashes, r.request_id, r.traceparent, free.crashed, t.thread_id, t.last_outcome,
    extract(epoch from now() - r.started_at)::float8 as elapsed

-- end_lost (10 s)
-- Ends runs whose lease is over and that are not to be taken up again, whether or not their graph is served here:
-- poison, whose process died each time; those that were to be cancelled; and those that are out of time.
with lost as (
    select run_id, case
        when cancel_requested then 'cancelled'
        when started_at < now() - make_interval(secs => %(run_seconds)s) then 'timeout'
        else 'error'
    end as status
    from agent.runs
    where status = 'running' and lease_expires_at < now() and run_id <> all (%(mine)s::uuid[])
        and (
            cancel_requested
            or started_at < now() - make_interval(secs => %(run_seconds)s)
            or (
                crashes + 1 >= %(max_crashes)s
                and pg_postmaster_start_time() < now() - make_interval(secs => %(lease)s)
            )
        )
    for update skip locked
), ended as (
    update agent.runs r set
        status = lost.status,
        crashes = r.crashes + (lost.status = 'error')::int,
        finished_at = now(),
        lease_expires_at = null,
        error_code = case lost.status
            when 'cancelled' then 'run_cancelled' when 'timeout' then 'run_timeout' else 'poison'
        end,
        error_detail = case lost.status
            when 'cancelled' then 'The run was cancelled.'
            when 'timeout' then 'The run exceeded its time.'
            else 'The process that executed this run died each time.'
        end
    from lost where r.run_id = lost.run_id
    returning r.run_id, r.thread_key, r.status
), thread as (
    update agent.threads t set
        updated_at = now(),
        last_outcome = ended.status,
        status = case ended.status when 'cancelled' then 'idle' else 'error' end
    from ended where t.thread_key = ended.thread_key
)
select run_id, status, pg_notify('agent', 'run:' || run_id) from ended

-- finish (10 s)
-- The outcome, the last events and the thread's status, in one statement and only under a live token.
with ended as (
    update agent.runs set
        status = %(status)s, result = %(result)s, interrupts = %(interrupts)s,
        error_code = %(error_code)s, error_detail = %(error_detail)s,
        finished_at = now(), lease_expires_at = null
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    returning run_id, thread_key, kind, watched
), events as (
    insert into agent.run_events (run_id, attempt, first_seq, last_seq, frames)
    select run_id, %(attempt)s, %(first_seq)s::int, %(last_seq)s::int, %(frames)b::bytea
    from ended where %(frames)b::bytea is not null
), queue as (
    select exists (
        select 1 from agent.runs r, ended where r.thread_key = ended.thread_key and r.status = 'pending'
    ) as waits
), thread as (
    update agent.threads t set
        updated_at = now(),
        status = %(thread_status)s,
        -- an update of the state does not mend what a run before it has left open
        last_outcome = case ended.kind when 'state' then t.last_outcome else %(status)s end
    from ended where t.thread_key = ended.thread_key
)
select
    ended.run_id,
    case when ended.watched then pg_notify('agent', 'run:' || ended.run_id) end,
    case when queue.waits then pg_notify('agent', 'queue') end
from ended, queue

-- finished (5 s)
-- Whether this attempt has stored just this outcome before: nobody else ends a run without raising its attempt,
-- except as poison.
select 1 as it_has from agent.runs
where run_id = %(run_id)s and attempt = %(attempt)s and status = %(status)s
    and error_code is not distinct from %(error_code)s

-- release (5 s)
-- Hands a run over: it is the first of its thread's queue again, and this was no crash. The end of its lease is
-- since when it waits.
with released as (
    update agent.runs set status = 'pending', lease_expires_at = now()
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    returning run_id, thread_key
), events as (
    insert into agent.run_events (run_id, attempt, first_seq, last_seq, frames)
    select run_id, %(attempt)s, %(first_seq)s::int, %(last_seq)s::int, %(frames)b::bytea
    from released where %(frames)b::bytea is not null
)
select run_id, pg_notify('agent', 'queue') from released

-- append_events (5 s)
with live as (
    select run_id, watched from agent.runs
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    for share
), events as (
    insert into agent.run_events (run_id, attempt, first_seq, last_seq, frames)
    select run_id, %(attempt)s, %(first_seq)s, %(last_seq)s, %(frames)b from live
    on conflict do nothing
)
select run_id, case when watched then pg_notify('agent', 'run:' || run_id) end from live

-- events_after (10 s)
-- One chunk at least, and others while those before them have less than 4 MiB.
select attempt, first_seq, last_seq, frames from (
    select
        attempt, first_seq, last_seq, frames,
        sum(octet_length(frames)) over (order by attempt, first_seq) - octet_length(frames) as bytes_before
    from agent.run_events
    where run_id = %(run_id)s and (attempt, last_seq) > (%(attempt)s, %(seq)s)
    order by attempt, first_seq
    limit 50
) as next
where bytes_before < 4194304
order by attempt, first_seq

-- last_event (5 s)
select attempt, last_seq from agent.run_events
where run_id = %(run_id)s
order by attempt desc, first_seq desc
limit 1

-- get (5 s)
select
    r.run_id, t.thread_id, r.graph, r.status, r.attempt, r.created_by, r.created_at, r.started_at, r.finished_at,
    r.result, r.interrupts, r.error_code, r.error_detail
from agent.runs r join agent.threads t using (thread_key)
where r.run_id = %(run_id)s and r.tenant = %(tenant)s and r.graph = %(graph)s

-- watch (5 s)
-- The process that executes the run is told, once.
update agent.runs set watched = true
where run_id = %(run_id)s and tenant = %(tenant)s and not watched
returning pg_notify('agent', 'run:' || run_id)

-- page (10 s)
-- One row at least: the total is told beyond the last page, too. It counts up to 10,000: a page costs no more than
-- its beginning, however many rows there are.
with wanted as not materialized (
    select r.* from agent.runs r
    where r.tenant = %(tenant)s and r.graph = %(graph)s
        and (%(thread_id)s::text is null or r.thread_key = (
            select thread_key from agent.threads where tenant = %(tenant)s and thread_id = %(thread_id)s
        ))
        and (%(status)s::text is null or r.status = %(status)s)
), page as (
    select * from wanted order by seq desc limit %(limit)s offset %(offset)s
)
select counted.total, page.*, t.thread_id
from (select count(*) as total from (select from wanted limit 10000) as bounded) as counted
left join (page join agent.threads t using (thread_key)) on true
order by page.seq desc

-- request_cancel (5 s)
-- A run that waits its turn ends here; a running one is told to stop. `token` marks who ended it, so that the
-- same request, executed again, still tells the status before.
with target as (
    select run_id, thread_key, status, attempt, cancel_token from agent.runs
    where run_id = %(run_id)s and tenant = %(tenant)s and graph = %(graph)s
    for update
), thread as (
    -- one that another process has begun and handed over was cut short
    update agent.threads t set updated_at = now(), last_outcome = 'cancelled', status = 'idle'
    from target where t.thread_key = target.thread_key and target.status = 'pending' and target.attempt > 0
), changed as (
    update agent.runs r set
        cancel_requested = true,
        watched = true,
        cancel_token = %(token)s,
        status = case when target.status = 'pending' then 'cancelled' else r.status end,
        error_code = case when target.status = 'pending' then 'run_cancelled' end,
        error_detail = case when target.status = 'pending' then 'The run was cancelled.' end,
        finished_at = case when target.status = 'pending' then now() end
    from target
    where r.run_id = target.run_id and target.status in ('pending', 'running')
)
select
    case when target.status = 'cancelled' and target.cancel_token = %(token)s then 'pending' else target.status end
        as status,
    pg_notify('agent', 'run:' || target.run_id),
    pg_notify('agent', 'cancel:' || target.run_id)
from target
