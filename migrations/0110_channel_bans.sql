-- A channel's team keeps somebody off its memes: the person plays none of them and sends none in. The house's own ban shuts all doors.

create table channel_bans (
    channel_id uuid not null references channels (id),
    user_id uuid not null references users (id),
    banned_by uuid not null references users (id),
    -- For the team.
    reason text check (length(reason) between 1 and 200),
    banned_at timestamptz not null default app_now(),
    primary key (channel_id, user_id)
);
create index channel_bans_newest on channel_bans (channel_id, banned_at desc, user_id);
create index channel_bans_user on channel_bans (user_id);
create index channel_bans_by on channel_bans (banned_by);
create trigger channel_bans_forgotten before insert on channel_bans
    for each row execute function refuse_forgotten('user_id', 'channel_id');
