-- get (5 s)
select
    t.thread_key, t.thread_id, t.graph, t.last_outcome, t.created_at, t.updated_at,
    extract(epoch from now() - t.updated_at)::float8 as quiet_seconds,
    case when exists (
        select 1 from agent.runs r where r.thread_key = t.thread_key and r.status in ('pending', 'running')
    ) then 'busy' else t.status end as status
from agent.threads t
where t.tenant = %(tenant)s and t.thread_id = %(thread_id)s

-- page (10 s)
-- One row at least: the total is told beyond the last page, too. It counts up to 10,000: a page costs no more than
-- its beginning, however many rows there are.
with wanted as not materialized (
    select
        t.thread_key, t.thread_id, t.graph, t.last_outcome, t.created_at, t.updated_at,
        extract(epoch from now() - t.updated_at)::float8 as quiet_seconds,
        case when exists (
            select 1 from agent.runs r where r.thread_key = t.thread_key and r.status in ('pending', 'running')
        ) then 'busy' else t.status end as status
    from agent.threads t
    where t.tenant = %(tenant)s and (%(graph)s::text is null or t.graph = %(graph)s)
), kept as not materialized (
    select * from wanted where %(status)s::text is null or status = %(status)s
), page as (
    select * from kept order by created_at desc, thread_key desc limit %(limit)s offset %(offset)s
)
select counted.total, page.*
from (select count(*) as total from (select from kept limit 10000) as bounded) as counted
left join page on true
order by page.created_at desc, page.thread_key desc

-- has (2 s)
-- Asked of a replica: whether it has all that the primary had of the thread when its row was last changed.
select 1 as one from agent.threads where thread_key = %(thread_key)s and updated_at = %(updated_at)s

-- lock (5 s)
-- First half of a deletion. Who begins a run locks the thread, too, so the second half, which looks with a
-- snapshot of its own, sees every run that there will be.
select thread_key from agent.threads
where tenant = %(tenant)s and thread_id = %(thread_id)s
for update

-- delete (30 s)
-- Every row of the thread in every table; runs, their events and their keys go with it. Nothing is deleted while
-- a run of it is at work or waits. No row: it is gone already.
with thread as (
    select
        t.thread_key,
        exists (
            select 1 from agent.runs r where r.thread_key = t.thread_key and r.status in ('pending', 'running')
        ) as busy
    from agent.threads t
    where t.tenant = %(tenant)s and t.thread_id = %(thread_id)s
), gone_checkpoints as (
    delete from checkpoints c using thread
    where c.thread_id = thread.thread_key::text and not thread.busy
), gone_blobs as (
    delete from checkpoint_blobs b using thread
    where b.thread_id = thread.thread_key::text and not thread.busy
), gone_writes as (
    delete from checkpoint_writes w using thread
    where w.thread_id = thread.thread_key::text and not thread.busy
), gone_attachments as (
    update agent.attachments a set dropped_at = now() from thread
    where a.tenant = %(tenant)s and a.thread_id = %(thread_id)s and a.dropped_at is null and not thread.busy
), gone as (
    delete from agent.threads t using thread
    where t.thread_key = thread.thread_key and not thread.busy
)
select thread.busy from thread
