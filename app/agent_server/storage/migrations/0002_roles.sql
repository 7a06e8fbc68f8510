-- Keys of before could do everything, and so can those that a process of before makes while it is replaced.
alter table agent.api_keys
    add column role text not null default 'admin'
    check (role in ('viewer', 'operator', 'approver', 'admin'));

-- A refusal is on record once a run, however often its statement is executed.
create unique index audit_log_one_refusal_a_run on agent.audit_log ((detail ->> 'run_id'))
    where action = 'interrupt.refused';
