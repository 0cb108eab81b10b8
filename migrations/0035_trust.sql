-- Not everything has to be looked at: a channel says what its team wants to see before it is a meme.

alter table channels
    add column review_mode text not null default 'all' check (review_mode in ('all', 'new_senders', 'flagged'));

-- Whose submissions a channel takes unseen.
create table trusted_uploaders (
    channel_id uuid not null references channels (id),
    user_id uuid not null references users (id),
    added_by uuid not null references users (id),
    added_at timestamptz not null default app_now(),
    primary key (channel_id, user_id)
);
create index trusted_uploaders_user on trusted_uploaders (user_id);
create trigger trusted_uploaders_forgotten before insert on trusted_uploaders
    for each row execute function refuse_forgotten('user_id', 'channel_id');
