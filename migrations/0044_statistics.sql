-- What a channel has shown, by day, viewer and meme: added up once, of everything that was shown; what was refunded is not in it.

alter table activations add column is_rolled_up boolean not null default false;
create index activations_to_roll_up on activations (ended_at, id)
    where status = 'done' and source = 'meme' and not is_rolled_up;

-- Days are those of UTC.
create table channel_days (
    channel_id uuid not null references channels (id),
    day date not null,
    plays bigint not null,
    -- Coins that were spent.
    coins bigint not null,
    primary key (channel_id, day)
);
create table channel_viewer_days (
    channel_id uuid not null references channels (id),
    day date not null,
    user_id uuid not null references users (id),
    plays bigint not null,
    coins bigint not null,
    primary key (channel_id, day, user_id)
);
create index channel_viewer_days_user on channel_viewer_days (user_id);
create table channel_meme_days (
    channel_id uuid not null references channels (id),
    day date not null,
    meme_id uuid not null references memes (id),
    plays bigint not null,
    coins bigint not null,
    primary key (channel_id, day, meme_id)
);

-- How often each meme was shown, in all: the catalogue is walked by it.
create table meme_plays (
    meme_id uuid primary key references memes (id),
    channel_id uuid not null references channels (id),
    plays bigint not null default 0
);
create index meme_plays_walk on meme_plays (channel_id, plays desc, meme_id desc);
create function count_meme() returns trigger language plpgsql as $$
begin
    insert into meme_plays (meme_id, channel_id) values (new.id, new.channel_id);
    return null;
end $$;
create trigger memes_counted after insert on memes for each row execute function count_meme();
insert into meme_plays (meme_id, channel_id) select id, channel_id from memes;
