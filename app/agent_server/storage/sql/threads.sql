-- get (5 s)
select thread_key, thread_id, graph, status, last_outcome, created_at, updated_at
from agent.threads
where tenant = %(tenant)s and thread_id = %(thread_id)s

-- page (10 s)
select thread_id, graph, status, created_at, updated_at, count(*) over () as total
from agent.threads
where tenant = %(tenant)s
    and (%(graph)s::text is null or graph = %(graph)s)
    and (%(status)s::text is null or status = %(status)s)
order by created_at desc
limit %(limit)s offset %(offset)s

-- delete (30 s)
-- Every row of the thread in every table. Nothing is deleted while a run of it is at work or waits.
with thread as (
    select thread_key from agent.threads
    where tenant = %(tenant)s and thread_id = %(thread_id)s
    for update
), active as (
    select exists (
        select 1 from agent.runs r, thread
        where r.thread_key = thread.thread_key and r.status in ('pending', 'running')
    ) as busy
), checkpoints as (
    delete from checkpoints c using thread, active
    where c.thread_id = thread.thread_key::text and not active.busy
), blobs as (
    delete from checkpoint_blobs b using thread, active
    where b.thread_id = thread.thread_key::text and not active.busy
), writes as (
    delete from checkpoint_writes w using thread, active
    where w.thread_id = thread.thread_key::text and not active.busy
), gone as (
    delete from agent.threads t using thread, active
    where t.thread_key = thread.thread_key and not active.busy
)
select active.busy from thread, active
