-- The house looks after what is shown on all channels: people whom its admins let do so take files out of sight, or away for good.

create table global_moderators (
    user_id uuid primary key references users (id),
    granted_by uuid not null references users (id),
    granted_at timestamptz not null default app_now()
);
create trigger global_moderators_forgotten before insert on global_moderators
    for each row execute function refuse_forgotten('user_id');

-- Set on all assets of one file at once.
alter table meme_assets
    add column hidden_at timestamptz,
    -- Its file goes, and nothing brings it back.
    add column deleted_at timestamptz check (deleted_at is null or hidden_at is not null);
create index meme_assets_newest on meme_assets (created_at desc, id);
create index meme_assets_hidden on meme_assets (created_at desc, id) where hidden_at is not null;

-- For the list of a channel's wallets.
create index wallets_of_channel on wallets (channel_id, id);
