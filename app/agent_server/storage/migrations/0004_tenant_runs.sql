-- What a tenant has pending and running is counted before each run that it begins.
create index runs_of_tenant_now on agent.runs (tenant) where status in ('pending', 'running');
