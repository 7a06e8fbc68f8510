-- put (30 s)
-- A checkpoint and its blobs, stored only under a live token: no row means the run has been taken over.
with fence as (
    select 1 from agent.runs
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    for share
), blobs as (
    insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    select %(thread_id)s, %(ns)s, b.channel, b.version, b.type, b.blob
    from fence, unnest(%(channels)b::text[], %(versions)b::text[], %(types)b::text[], %(blobs)b::bytea[])
        as b (channel, version, type, blob)
    on conflict (thread_id, checkpoint_ns, channel, version) do nothing
)
insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
select %(thread_id)s, %(ns)s, %(checkpoint_id)s, %(parent_id)s, %(checkpoint)s, %(metadata)s from fence
on conflict (thread_id, checkpoint_ns, checkpoint_id) do update set
    checkpoint = excluded.checkpoint, metadata = excluded.metadata
returning 1 as live

-- put_writes (30 s)
-- The writes of one task. Writes of an ordinary channel stay as they were first stored; those of the special
-- ones (error, interrupt, resume: negative idx) are replaced.
with fence as (
    select 1 from agent.runs
    where run_id = %(run_id)s and attempt = %(attempt)s and status = 'running'
    for share
), writes as (
    insert into checkpoint_writes as w (
        thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob
    )
    select
        %(thread_id)s, %(ns)s, %(checkpoint_id)s, %(task_id)s, %(task_path)s, v.idx, v.channel, v.type, v.blob
    from fence, unnest(%(idxs)b::int[], %(channels)b::text[], %(types)b::text[], %(blobs)b::bytea[])
        as v (idx, channel, type, blob)
    on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) do update set
        channel = excluded.channel, type = excluded.type, blob = excluded.blob
        where %(replace)s
)
select 1 as live from fence

-- run_of_latest (5 s)
-- The run that stored the newest checkpoint of the thread's root.
select metadata ->> 'run_id' as run_id from checkpoints
where thread_id = %(thread_id)s and checkpoint_ns = ''
order by checkpoint_id desc
limit 1
