-- What a play costs, and how often there may be one: promotions that run out, prices by length, pauses of memes.

alter table promotions
    -- Plays that are cheaper by it, in all and of one viewer; null: any number. What was refunded does not count.
    add column max_uses integer check (max_uses between 1 and 10000),
    add column max_uses_per_viewer integer check (max_uses_per_viewer between 1 and 10000),
    -- Kept for the plays that it made cheaper.
    add column deleted_at timestamptz;
create index activations_of_promotion on activations (promotion_id, user_id)
    where promotion_id is not null and status in ('queued', 'playing', 'done');

alter table channels
    -- Coins for each second begun of a meme without a price of its own, on top of the default price.
    add column price_per_second bigint not null default 0 check (price_per_second between 0 and 1000000);

alter table memes
    -- Seconds from one play to the next, of anybody and of the same viewer; 0: at once.
    add column cooldown_seconds integer not null default 0 check (cooldown_seconds between 0 and 86400),
    add column viewer_cooldown_seconds integer not null default 0 check (viewer_cooldown_seconds between 0 and 86400),
    -- Plays in one stream, of everybody and of one viewer; null: any number.
    add column max_per_stream integer check (max_per_stream between 1 and 1000),
    add column max_per_viewer integer check (max_per_viewer between 1 and 1000);
alter table memes add column is_limited boolean not null generated always as (
    cooldown_seconds > 0 or viewer_cooldown_seconds > 0 or max_per_stream is not null or max_per_viewer is not null
) stored;

-- Set on plays of memes with such a limit: only these are counted, so the others need no place in the index.
alter table activations add column is_counted boolean not null default false;
create index activations_counted on activations (meme_id, created_at desc)
    where is_counted and status in ('queued', 'playing', 'done');
