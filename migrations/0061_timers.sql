-- What the bots of a channel say from time to time.

create table chat_timers (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    name text not null check (length(name) between 1 and 50),
    -- One after the other, and from the beginning again.
    messages text[] not null check (cardinality(messages) between 1 and 20),
    interval_seconds integer not null check (interval_seconds between 60 and 86400),
    -- So many lines of others must have been written in the channel's chats since it last spoke.
    min_lines integer not null default 0 check (min_lines between 0 and 1000),
    only_when_live boolean not null default true,
    enabled boolean not null default true,
    -- When it is looked at next.
    next_at timestamptz not null,
    -- The message that is next, from 0; it goes around.
    place integer not null default 0,
    -- Lines count from behind this one of `chat_messages`.
    after_line bigint not null default 0,
    last_said_at timestamptz,
    created_at timestamptz not null default app_now(),
    updated_at timestamptz not null default app_now()
);
create index chat_timers_channel on chat_timers (channel_id, created_at, id);
create index chat_timers_due on chat_timers (next_at) where enabled;
create trigger chat_timers_forgotten before insert or update of name, messages on chat_timers
    for each row execute function refuse_forgotten('channel_id');
