-- take_turn (5 s)
-- One process sweeps at a time, and `rest` seconds lie between two sweeps. A row and not an advisory lock: a lock
-- of the session cannot be had through a transaction pooler. It only saves work: overlapping sweeps do no harm.
insert into agent.retention as r (mark, at) values ('turn', now() + make_interval(secs => %(turn)s))
on conflict (mark) do update set at = excluded.at where r.at <= now() - make_interval(secs => %(rest)s)
returning 1 as taken

-- keep_turn (5 s)
update agent.retention set at = now() + make_interval(secs => %(turn)s) where mark = 'turn'

-- end_turn (5 s)
update agent.retention set at = now() where mark = 'turn'

-- mark (5 s)
select at, thread_key from agent.retention where mark = %(mark)s

-- set_mark (5 s)
-- The last minute is looked at again: a transaction may become visible later than the time that it wrote.
insert into agent.retention as r (mark, at, thread_key)
values (%(mark)s, least(%(at)s::timestamptz, now() - interval '1 minute'), %(thread_key)s)
on conflict (mark) do update set at = excluded.at, thread_key = excluded.thread_key

-- ended (30 s)
-- The next runs that have been over for `age` seconds.
select run_id, thread_key, finished_at from agent.runs
where finished_at <= now() - make_interval(secs => %(age)s)
    and (finished_at, run_id) > (%(at)s::timestamptz, %(run_id)s::uuid)
order by finished_at, run_id
limit %(limit)s

-- drop_events (30 s)
with old as (
    select run_id, attempt, first_seq from agent.run_events
    where run_id = any (%(run_ids)b::uuid[])
    limit %(limit)s
), gone as (
    delete from agent.run_events e using old
    where e.run_id = old.run_id and e.attempt = old.attempt and e.first_seq = old.first_seq
    returning 1
)
select count(*) as deleted from gone

-- drop_idempotency_keys (30 s)
with old as (
    select tenant, route, key from agent.idempotency_keys
    where created_at <= now() - make_interval(secs => %(age)s)
    order by created_at
    limit %(limit)s
    for update skip locked
), gone as (
    delete from agent.idempotency_keys k using old
    where k.tenant = old.tenant and k.route = old.route and k.key = old.key
    returning 1
)
select count(*) as deleted from gone

-- drop_runs (30 s)
-- Their events and idempotency keys go with them.
with old as (
    select run_id from agent.runs r
    where finished_at <= now() - make_interval(secs => %(age)s)
        and not (%(keep_starters)s and exists (
            select 1 from agent.threads t where t.thread_key = r.thread_key and t.status = 'interrupted'
        ))
    order by finished_at
    limit %(limit)s
    for update skip locked
), gone as (
    delete from agent.runs r using old where r.run_id = old.run_id returning 1
)
select count(*) as deleted from gone

-- long_threads (30 s)
-- Those of the given threads that have more than `max` checkpoints.
select wanted.thread_key from unnest(%(thread_keys)s::uuid[]) as wanted (thread_key)
where (
    select count(*) from (
        select 1 from checkpoints c where c.thread_id = wanted.thread_key::text limit %(max)s + 1
    ) as counted
) > %(max)s

-- threads (30 s)
-- The next threads, each with what is due; a null age is never reached.
select
    t.thread_key,
    coalesce(t.updated_at <= now() - make_interval(secs => %(thread_age)s::float8), false) as expired,
    coalesce(t.updated_at <= now() - make_interval(secs => %(history_age)s::float8), false) and (
        select count(*) from (select 1 from checkpoints c where c.thread_id = t.thread_key::text limit 2) as counted
    ) > 1 as has_history
from agent.threads t
where t.thread_key > %(after)s::uuid
order by t.thread_key
limit %(limit)s

-- lock_thread (5 s)
-- First half of what is done to a thread. Whoever begins a run locks the thread, too, so the second half, which
-- looks with a snapshot of its own, sees every run that there will be. A thread that another transaction holds,
-- or that has been at work since, is left alone: the second half asks the transaction's setting. It is planned
-- for its thread each time: the generic plan of a prepared statement took ten times as long on a long thread.
select
    set_config('agent.swept_thread', locked.thread_key::text, true),
    set_config('plan_cache_mode', 'force_custom_plan', true)
from (
    select thread_key from agent.threads
    where thread_key = %(thread_key)s::uuid and updated_at <= now() - make_interval(secs => %(age)s)
    for update skip locked
) as locked

-- cut_history (20 s)
-- One batch of a thread's older checkpoints, with their writes and the blobs that no other checkpoint names.
-- As AsyncPostgresSaver.aprune has it, these stay: the latest checkpoint of each namespace with its writes, where
-- interrupts wait. The namespace of a subgraph's call (it ends in a task's id, after a colon) goes altogether,
-- unless it began from the root's latest checkpoint or from one that was never stored. Calls go before the root
-- checkpoints that they began from, so that the next batch judges them alike. A thread with a DeltaChannel reads
-- its older checkpoints: it is left alone.
with latest as (
    select distinct on (checkpoint_ns) checkpoint_ns, checkpoint_id, metadata -> 'parents' ->> '' as root
    from checkpoints
    where thread_id = %(thread_id)s
    order by checkpoint_ns desc, checkpoint_id desc
), kept as (
    select l.checkpoint_ns, l.checkpoint_id from latest l
    where strpos(l.checkpoint_ns, ':') = 0
        or l.root is null
        or l.root = (select checkpoint_id from latest where checkpoint_ns = '')
        or not exists (
            select 1 from checkpoints c
            where c.thread_id = %(thread_id)s and c.checkpoint_ns = '' and c.checkpoint_id = l.root
        )
), refused as (
    select 1 as reason from agent.runs
    where thread_key = %(thread_key)s::uuid and status in ('pending', 'running')
    union all
    select 1 from checkpoints
    where thread_id = %(thread_id)s
        and (metadata ? 'counters_since_delta_snapshot' or metadata ? 'delta_writes_versioned')
    union all
    -- a snapshot: the mark `true` with a blob behind it. Looked up one by one: joined, it would be planned from
    -- estimates that are worst for the few long threads, and once took 3000 checkpoints 22 s.
    select 1
    from checkpoints c, jsonb_each(c.checkpoint -> 'channel_values') as v, lateral (
        select 1 from checkpoint_blobs b
        where b.thread_id = c.thread_id and b.checkpoint_ns = c.checkpoint_ns and b.channel = v.key
            and b.version = c.checkpoint -> 'channel_versions' ->> v.key
        limit 1
    ) as snapshot
    where c.thread_id = %(thread_id)s and v.value = 'true'::jsonb
), old as (
    select c.checkpoint_ns, c.checkpoint_id from checkpoints c
    where c.thread_id = %(thread_id)s
        and current_setting('agent.swept_thread', true) = %(thread_id)s
        and not exists (select 1 from refused)
        and (c.checkpoint_ns, c.checkpoint_id) not in (select checkpoint_ns, checkpoint_id from kept)
    order by c.checkpoint_ns = '', c.checkpoint_id
    limit %(limit)s
), gone_writes as (
    delete from checkpoint_writes w using old
    where w.thread_id = %(thread_id)s and w.checkpoint_ns = old.checkpoint_ns and w.checkpoint_id = old.checkpoint_id
), gone as (
    delete from checkpoints c using old
    where c.thread_id = %(thread_id)s and c.checkpoint_ns = old.checkpoint_ns and c.checkpoint_id = old.checkpoint_id
    returning c.checkpoint_ns, c.checkpoint -> 'channel_versions' as versions
), orphaned as (
    update checkpoints c set parent_checkpoint_id = null
    from old parent
    where c.thread_id = %(thread_id)s and c.checkpoint_ns = parent.checkpoint_ns
        and c.parent_checkpoint_id = parent.checkpoint_id
        and (c.checkpoint_ns, c.checkpoint_id) not in (select checkpoint_ns, checkpoint_id from old)
), garbage as (
    select gone.checkpoint_ns, v.key as channel, v.value as version from gone, jsonb_each_text(gone.versions) as v
    except
    select c.checkpoint_ns, v.key, v.value
    from checkpoints c, jsonb_each_text(c.checkpoint -> 'channel_versions') as v
    where c.thread_id = %(thread_id)s
        and (c.checkpoint_ns, c.checkpoint_id) not in (select checkpoint_ns, checkpoint_id from old)
), gone_blobs as (
    delete from checkpoint_blobs b using garbage g
    where b.thread_id = %(thread_id)s and b.checkpoint_ns = g.checkpoint_ns and b.channel = g.channel
        and b.version = g.version
)
select count(*) as deleted from gone

-- drop_thread (60 s)
-- A whole thread, with every row of it in every table but the audit's.
with thread as (
    select t.thread_key, t.tenant, t.thread_id from agent.threads t
    where t.thread_key = %(thread_key)s::uuid
        and current_setting('agent.swept_thread', true) = %(thread_id)s
        and not exists (
            select 1 from agent.runs r where r.thread_key = t.thread_key and r.status in ('pending', 'running')
        )
), gone_checkpoints as (
    delete from checkpoints c using thread where c.thread_id = thread.thread_key::text
), gone_blobs as (
    delete from checkpoint_blobs b using thread where b.thread_id = thread.thread_key::text
), gone_writes as (
    delete from checkpoint_writes w using thread where w.thread_id = thread.thread_key::text
), gone_attachments as (
    update agent.attachments a set dropped_at = now() from thread
    where a.tenant = thread.tenant and a.thread_id = thread.thread_id and a.dropped_at is null
), gone as (
    delete from agent.threads t using thread where t.thread_key = thread.thread_key returning 1
)
select count(*) as deleted from gone
