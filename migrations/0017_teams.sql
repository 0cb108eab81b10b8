-- Who helps on a channel: people whom its owner lets act on it without giving them a password.

create table channel_members (
    channel_id uuid not null references channels (id),
    user_id uuid not null references users (id),
    -- What each may do is declared with the operations; a moderator looks after queue and chat, an editor also after content.
    role text not null check (role in ('moderator', 'editor')),
    added_by uuid not null references users (id),
    added_at timestamptz not null default app_now(),
    primary key (channel_id, user_id)
);
create index channel_members_user on channel_members (user_id);
