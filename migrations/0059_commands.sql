-- What a channel's bot answers, to whom and how often, is the streamer's to say; and a bot tells for how long the stream runs,
-- a short break of it included.

alter table chat_commands
    -- Other words that call it, as the streamer writes them and as messages are compared with them.
    add column aliases text[] not null default '{}' check (cardinality(aliases) <= 10),
    add column aliases_normalized text[] not null default '{}'
        check (cardinality(aliases_normalized) = cardinality(aliases)),
    -- `command`: a message begins with it; `keyword`: it stands anywhere in a message.
    add column matching text not null default 'command' check (matching in ('command', 'keyword')),
    add column only_when_live boolean not null default false,
    -- Who may call it: these logins and whoever has one of these roles; everybody when both are empty.
    add column allowed_users text[] not null default '{}' check (cardinality(allowed_users) <= 100),
    add column allowed_roles text[] not null default '{}'
        check (allowed_roles <@ array['vip', 'moderator', 'subscriber', 'follower']),
    add column vkvideo_allowed_role_ids text[] not null default '{}' check (cardinality(vkvideo_allowed_role_ids) <= 100),
    -- Seconds after an answer in which nobody, or not the same viewer, gets another one.
    add column cooldown_seconds integer not null default 0 check (cooldown_seconds between 0 and 86400),
    add column user_cooldown_seconds integer not null default 0 check (user_cooldown_seconds between 0 and 86400),
    -- Answers in all, and the last one.
    add column uses bigint not null default 0,
    add column last_used_at timestamptz;
create index chat_commands_keywords on chat_commands (channel_id) where matching = 'keyword' and enabled;

-- Only words are refused of somebody who is forgotten: a chat that calls a command meanwhile is no fault.
drop trigger chat_commands_forgotten on chat_commands;
create trigger chat_commands_forgotten before insert or update of trigger, aliases, response, allowed_users on chat_commands
    for each row execute function refuse_forgotten('channel_id');

-- Every word that calls a command of the channel, once: what a message is looked up by.
create table chat_command_words (
    channel_id uuid not null references channels (id),
    word text not null,
    command_id uuid not null references chat_commands (id) on delete cascade,
    primary key (channel_id, word)
);
create index chat_command_words_command on chat_command_words (command_id);
insert into chat_command_words (channel_id, word, command_id)
    select channel_id, trigger_normalized, id from chat_commands;
-- Here and not in the program, so that the release before this one keeps them, too.
create function chat_command_words_follow() returns trigger language plpgsql as $$
begin
    delete from chat_command_words where command_id = new.id;
    insert into chat_command_words (channel_id, word, command_id)
        select distinct new.channel_id, word, new.id from unnest(new.trigger_normalized || new.aliases_normalized) word;
    return null;
end $$;
create trigger chat_command_words_follow after insert or update of trigger_normalized, aliases_normalized on chat_commands
    for each row execute function chat_command_words_follow();

-- When a viewer was last answered by a command that has a cooldown for each viewer. A row is of no use after a day.
create table chat_command_uses (
    command_id uuid not null references chat_commands (id) on delete cascade,
    platform text not null,
    author_id text not null,
    used_at timestamptz not null,
    primary key (command_id, platform, author_id)
);
create index chat_command_uses_author on chat_command_uses (platform, author_id);

-- Numbers that answers count and say: `{counter:deaths}`.
create table chat_counters (
    channel_id uuid not null references channels (id),
    name text not null check (name ~ '^[a-z0-9_]{1,30}$'),
    value bigint not null,
    updated_at timestamptz not null default app_now(),
    primary key (channel_id, name)
);

-- What a bot does of itself in a channel; no row: all as it is from the start.
create table bot_settings (
    channel_id uuid primary key references channels (id),
    -- The command that tells for how long the stream runs.
    duration_enabled boolean not null default true,
    duration_trigger text not null default '!time' check (length(duration_trigger) between 1 and 50),
    duration_trigger_normalized text not null default '!time',
    duration_response text not null default 'Stream time: {hours}h {minutes}m ({totalMinutes}m)'
        check (length(duration_response) between 1 and 450),
    duration_only_when_live boolean not null default true,
    duration_updated_at timestamptz,
    -- What it says to somebody who begins to follow.
    greetings_enabled boolean not null default false,
    greetings_template text not null default 'Thank you for following, {user}!'
        check (length(greetings_template) between 1 and 450),
    greetings_updated_at timestamptz
);
create trigger bot_settings_forgotten before insert or update on bot_settings
    for each row execute function refuse_forgotten('channel_id');

alter table channels
    -- Minutes: a stream that comes back within them goes on, and its break counts.
    add column break_credit_minutes integer not null default 60 check (break_credit_minutes between 0 and 1440),
    -- When the present stream began, or the last one; `live_since` is only its last unbroken part.
    add column stream_began_at timestamptz,
    -- When it was last seen to stop; null while it runs.
    add column stream_stopped_at timestamptz;
update channels set stream_began_at = live_since where live_since is not null;
create function stream_goes_on() returns trigger language plpgsql as $$
begin
    if new.live_since is null then
        new.stream_stopped_at := app_now();
        return new;
    end if;
    if new.stream_began_at is null
       or old.live_since is not null and old.live_since = old.stream_began_at
       or old.live_since is null
          and new.live_since > old.stream_stopped_at + make_interval(mins => new.break_credit_minutes) then
        new.stream_began_at := new.live_since;
    end if;
    new.stream_stopped_at := null;
    return new;
end $$;
create trigger stream_goes_on before update of live_since on channels for each row
    when (old.live_since is distinct from new.live_since) execute function stream_goes_on();
