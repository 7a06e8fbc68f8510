-- add (5 s)
insert into agent.attachments (attachment_id, tenant, thread_id, filename, content_type, size, place, created_by)
values (
    %(attachment_id)s, %(tenant)s, %(thread_id)s, %(filename)s, %(content_type)s, %(size)s, %(place)s, %(created_by)s
)
on conflict (attachment_id) do update set attachment_id = excluded.attachment_id
returning *

-- get (5 s)
select * from agent.attachments
where attachment_id = %(attachment_id)s and tenant = %(tenant)s and place = %(place)s and dropped_at is null

-- of_thread (5 s)
-- What a run of this thread may read: its tenant's, and its own.
select a.* from agent.attachments a
join agent.threads t on t.tenant = a.tenant and t.thread_id = a.thread_id
where a.attachment_id = %(attachment_id)s and t.tenant = %(tenant)s and t.thread_key = %(thread_key)s
    and a.place = %(place)s and a.dropped_at is null

-- mark_stored (5 s)
-- The first content counts: who comes later is told which one that was. No row: it was deleted meanwhile.
update agent.attachments set stored_at = coalesce(stored_at, now()),
    sha256 = case when stored_at is null then %(sha256)s::bytea else sha256 end
where attachment_id = %(attachment_id)s and tenant = %(tenant)s and dropped_at is null
returning sha256

-- drop (5 s)
-- The content goes at the next sweep.
update agent.attachments set dropped_at = now()
where attachment_id = %(attachment_id)s and tenant = %(tenant)s and place = %(place)s and dropped_at is null
returning attachment_id

-- unsettled (30 s)
-- The next ones that have had `age` seconds for their content and for their thread.
select a.*, exists (
    select 1 from agent.threads t where t.tenant = a.tenant and t.thread_id = a.thread_id
) as has_thread
from agent.attachments a
where not a.settled and a.dropped_at is null and a.place = %(place)s
    and a.created_at <= now() - make_interval(secs => %(age)s)
    and (a.created_at, a.attachment_id) > (%(at)s::timestamptz, %(after)s::uuid)
order by a.created_at, a.attachment_id
limit %(limit)s

-- settle (30 s)
-- Those with content and a thread stay. A thread that goes at the same time takes them with it all the same.
update agent.attachments set settled = true, stored_at = coalesce(stored_at, now())
where attachment_id = any (%(attachment_ids)b::uuid[]) and dropped_at is null

-- expire (30 s)
-- The others go, unless their thread has come just now.
update agent.attachments a set dropped_at = now()
where a.attachment_id = any (%(attachment_ids)b::uuid[]) and a.dropped_at is null
    and (a.stored_at is null or not exists (
        select 1 from agent.threads t where t.tenant = a.tenant and t.thread_id = a.thread_id
    ))

-- dropped (30 s)
-- The next ones whose content is to be removed: at once, and once more when no upload can be under way any more.
select * from agent.attachments
where dropped_at is not null and place = %(place)s and attachment_id > %(after)s::uuid
    and (removed_at is null or removed_at <= now() - make_interval(secs => %(again)s))
order by attachment_id
limit %(limit)s

-- forget (30 s)
-- Their content is removed: the first time that is noted, the second time the row goes.
with removed as (
    select attachment_id, removed_at from agent.attachments
    where attachment_id = any (%(attachment_ids)b::uuid[]) and dropped_at is not null
    order by attachment_id for update
), noted as (
    update agent.attachments a set removed_at = now() from removed r
    where a.attachment_id = r.attachment_id and r.removed_at is null
    returning 1
), gone as (
    delete from agent.attachments a using removed r
    where a.attachment_id = r.attachment_id and r.removed_at is not null
        and r.removed_at <= now() - make_interval(secs => %(again)s)
    returning 1
)
select (select count(*) from noted) as noted, (select count(*) from gone) as gone
