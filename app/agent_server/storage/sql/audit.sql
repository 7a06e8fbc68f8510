-- page (10 s)
-- For operators: of all tenants where none is named.
select entry, at, tenant, subject, action, target, detail
from agent.audit_log
where (%(tenant)s::text is null or tenant = %(tenant)s)
    and (%(before)s::bigint is null or entry < %(before)s)
order by entry desc
limit %(limit)s
