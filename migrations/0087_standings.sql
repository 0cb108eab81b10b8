-- How far a channel has come on Twitch: only affiliates and partners may have rewards for channel points there. Of the account
-- that the channel's owner had when Twitch was asked.
create table twitch_standings (
    channel_id uuid primary key references channels (id),
    account text not null,
    standing text not null check (standing in ('none', 'affiliate', 'partner')),
    asked_at timestamptz not null default app_now()
);
create trigger refuse_forgotten before insert or update on twitch_standings
    for each row execute function refuse_forgotten('channel_id');
