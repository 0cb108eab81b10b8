-- Features that not everybody has: given to a person or a channel, for a while or for ever.

create table entitlements (
    id uuid primary key,
    -- A word of `domain::entitlements::Feature`.
    key text not null check (key ~ '^[a-z_]{1,40}$'),
    user_id uuid references users (id),
    channel_id uuid references channels (id),
    granted_by uuid not null references users (id),
    granted_at timestamptz not null default app_now(),
    -- Null: for ever.
    expires_at timestamptz,
    check ((user_id is null) <> (channel_id is null))
);
create unique index entitlements_user on entitlements (user_id, key) where user_id is not null;
create unique index entitlements_channel on entitlements (channel_id, key) where channel_id is not null;
create trigger entitlements_forgotten before insert on entitlements
    for each row execute function refuse_forgotten('user_id', 'channel_id');

-- Who may have more of them has up to a hundred.
alter table overlay_presets drop constraint overlay_presets_place_check;
alter table overlay_presets add constraint overlay_presets_place_check check (place between 0 and 99);
