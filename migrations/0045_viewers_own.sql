-- What people keep for themselves: memes that they like, and how their pages look; and what a streamer keeps for the overlay.

create table favourites (
    user_id uuid not null references users (id),
    meme_id uuid not null references memes (id),
    channel_id uuid not null references channels (id),
    added_at timestamptz not null default app_now(),
    primary key (user_id, meme_id)
);
create index favourites_walk on favourites (user_id, channel_id, added_at desc, meme_id);
create trigger favourites_forgotten before insert on favourites
    for each row execute function refuse_forgotten('user_id');

create table user_preferences (
    user_id uuid primary key references users (id),
    theme text not null default 'light' check (theme in ('light', 'dark')),
    autoplay_memes boolean not null default true,
    mute_memes boolean not null default false,
    updated_at timestamptz not null default app_now()
);
create trigger user_preferences_forgotten before insert or update on user_preferences
    for each row execute function refuse_forgotten('user_id');

-- Looks of an overlay that its streamer changes between.
create table overlay_presets (
    channel_id uuid not null references channels (id),
    -- In the list, from 0.
    place smallint not null check (place between 0 and 29),
    name text not null check (length(name) between 1 and 50),
    style_json text not null check (length(style_json) <= 50000),
    primary key (channel_id, place)
);
create trigger overlay_presets_forgotten before insert on overlay_presets
    for each row execute function refuse_forgotten('channel_id');
