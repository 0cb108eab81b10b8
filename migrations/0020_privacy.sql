-- What people may ask of us about themselves: a copy of everything, and to be forgotten. Which rows are whose stands in
-- domain `privacy::HOLDINGS`.

-- When the person asked to be forgotten; from then on nobody logs in as that person. What must stay (coins add up, memes in
-- other people's channels) refers to a row that says nothing about anybody.
alter table users add column erased_at timestamptz;
alter table sessions drop constraint sessions_end_reason_check;
alter table sessions add constraint sessions_end_reason_check
    check (end_reason in ('logout', 'revoked', 'replaced', 'reuse', 'role', 'ban', 'password', 'erased'));

-- Copies that people asked for.
create table exports (
    id uuid primary key,
    user_id uuid not null references users (id),
    status text not null default 'pending' check (status in ('pending', 'ready', 'downloaded', 'expired', 'failed')),
    -- The archive, for as long as there is one; the row holds a reference to it.
    file_hash text references file_hashes (hash),
    -- Bytes.
    size bigint,
    created_at timestamptz not null default app_now(),
    -- From then on there is no archive.
    expires_at timestamptz,
    downloaded_at timestamptz,
    check (status not in ('ready') or (file_hash is not null and size is not null and expires_at is not null))
);
create index exports_user on exports (user_id, created_at desc);
create index exports_kept on exports (expires_at) where file_hash is not null or status = 'pending';
