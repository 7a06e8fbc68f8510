-- counts (120 s)
select
    (select count(*) from agent.threads) as threads,
    (select count(*) from agent.runs) as runs,
    (select count(*) from agent.runs where status in ('pending', 'running')) as unfinished,
    (select count(*) from checkpoints) as checkpoints,
    (select count(*) from agent.audit_log) as audit_entries,
    (select count(*) from agent.api_keys where revoked_at is null) as keys,
    (select count(*) from agent.attachments where stored_at is not null and dropped_at is null) as attachments,
    greatest(
        (select max(updated_at) from agent.threads), (select max(created_at) from agent.runs),
        (select max(finished_at) from agent.runs), (select max(at) from agent.audit_log)
    ) as newest

-- threads (60 s)
-- The newest threads, and whether a run of each has left something behind.
select thread_key, tenant, thread_id, graph, last_outcome in ('success', 'interrupted') as has_state
from agent.threads
order by updated_at desc, thread_key
limit %(limit)s

-- attachments (60 s)
select * from agent.attachments
where place = %(place)s and stored_at is not null and dropped_at is null
order by created_at desc, attachment_id
limit %(limit)s
