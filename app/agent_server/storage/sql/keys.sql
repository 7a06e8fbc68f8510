-- create (5 s)
-- Executed twice, after a lost connection, it makes one key and one audit entry, and returns that key.
with made as (
    insert into agent.api_keys (key_id, tenant, name, role, prefix, hmac, expires_at)
    values (
        %(key_id)s, %(tenant)s, %(name)s, %(role)s, %(prefix)s, %(hmac)s,
        now() + make_interval(secs => %(expires_in)s::float8)
    )
    on conflict (key_id) do nothing
    returning *
), audit as (
    insert into agent.audit_log (tenant, subject, action, target, detail)
    select
        tenant, %(subject)s, 'key.create', key_id::text,
        jsonb_build_object('name', name, 'role', role, 'prefix', prefix, 'expires_at', expires_at)
    from made
), found as (
    select * from made
    union all
    select * from agent.api_keys where key_id = %(key_id)s
)
select key_id, tenant, name, role, prefix, created_at, expires_at, revoked_at, 'active' as status from found

-- list (10 s)
-- For operators: of all tenants where none is named.
select
    key_id, tenant, name, role, prefix, created_at, expires_at, revoked_at,
    case when revoked_at is not null then 'revoked' when expires_at <= now() then 'expired' else 'active' end as status
from agent.api_keys
where %(tenant)s::text is null or tenant = %(tenant)s
order by tenant, created_at, key_id

-- revoke (5 s)
-- No row: there is no such key. A key that is revoked already keeps its time, and its one audit entry.
with target as (
    select key_id from agent.api_keys where key_id = %(key_id)s for update
), revoked as (
    update agent.api_keys k set revoked_at = now()
    from target where k.key_id = target.key_id and k.revoked_at is null
    returning k.*
), audit as (
    insert into agent.audit_log (tenant, subject, action, target, detail)
    select tenant, %(subject)s, 'key.revoke', key_id::text, jsonb_build_object('name', name, 'role', role, 'prefix', prefix)
    from revoked
), found as (
    select * from revoked
    union all
    select * from agent.api_keys k
    where k.key_id = %(key_id)s and not exists (select 1 from revoked)
)
select key_id, tenant, name, role, prefix, created_at, expires_at, revoked_at, 'revoked' as status from found

-- verify (5 s)
-- The database's clock decides.
select tenant, name, role, coalesce(extract(epoch from expires_at - now())::float8, 'infinity') as seconds_left
from agent.api_keys
where hmac = %(hmac)s and revoked_at is null and (expires_at is null or expires_at > now())
