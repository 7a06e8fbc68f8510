create table agent.attachments (
    attachment_id uuid primary key,
    tenant text not null,
    -- the client's own: the thread may come after it
    thread_id text not null,
    filename text not null,
    content_type text not null,
    size bigint not null check (size > 0),
    -- which bucket or folder has the content: after a change of the settings it is another one
    place text not null,
    -- of the content, where it came through us
    sha256 bytea,
    created_by text not null,
    created_at timestamptz not null default now(),
    -- when the content was known to be there
    stored_at timestamptz,
    -- its content is there and its thread has come: only a deletion ends it
    settled boolean not null default false,
    -- deleted; the row stays until nothing can bring the content back
    dropped_at timestamptz,
    removed_at timestamptz
);
create index attachments_of_thread on agent.attachments (tenant, thread_id) where dropped_at is null;
create index attachments_unsettled on agent.attachments (created_at) where not settled and dropped_at is null;
create index attachments_dropped on agent.attachments (attachment_id) where dropped_at is not null;
