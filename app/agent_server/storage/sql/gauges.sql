-- runs (2 s)
-- How many runs wait and are executed, and for how long the one has waited that could have begun first: since it
-- came, since the one before it on its thread ended, or since it was handed over.
with active as (
    select
        thread_key, seq, status, created_at, lease_expires_at,
        row_number() over (partition by thread_key order by seq) = 1 as is_first
    from agent.runs where status in ('pending', 'running')
), next as (
    select coalesce(a.lease_expires_at, greatest(a.created_at, before.finished_at)) as since
    from active a left join lateral (
        select finished_at from agent.runs r
        where r.thread_key = a.thread_key and r.seq < a.seq
        order by r.seq desc
        limit 1
    ) before on true
    where a.is_first and a.status = 'pending'
)
select
    (select count(*) from active where status = 'pending') as pending,
    (select count(*) from active where status = 'running') as running,
    (select coalesce(extract(epoch from max(now() - since)), 0)::float8 from next) as queue_age

-- waiting (2 s)
-- How long the thread has waited that waits for a person and has changed the longest ago; 0 if none does.
select coalesce(extract(epoch from now() - min(updated_at)), 0)::float8 as interrupt_age
from agent.threads where status = 'interrupted'

-- sizes (5 s)
-- Bytes on disk, with indexes and what is stored apart; a partition counts for the table it is of.
with parts as (
    select
        case
            when coalesce(whole.relname, c.relname) ~ '^checkpoint' then 'checkpoints'
            when c.oid = 'agent.run_events'::regclass then 'events'
            when c.relnamespace = 'agent'::regnamespace then 'runs'
        end as part,
        pg_total_relation_size(c.oid) as bytes
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    left join pg_class whole on whole.oid = i.inhparent
    where c.relkind = 'r'
), known as (
    select part, sum(bytes)::int8 as bytes from parts where part is not null group by part
)
select part, bytes from known
union all
select 'other', pg_database_size(current_database()) - coalesce((select sum(bytes)::int8 from known), 0)
