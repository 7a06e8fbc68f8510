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
