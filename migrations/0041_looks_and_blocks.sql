-- The same joke comes back in another encoding, and what a channel has refused comes back until somebody gives in: what a
-- file looks like is kept, so that it is known again, and so is what nobody wants to see again.

-- By the file, so that all assets that show it share it.
create table looks (
    file_hash text primary key references file_hashes (hash) on delete cascade,
    -- A hash of 64 bits for each of some frames; those of pictures that look alike differ in few bits.
    frames bigint[] not null check (cardinality(frames) between 1 and 16)
);
-- Quarters of those hashes (place of the quarter, then its 16 bits): what looks alike has some in common.
create table look_parts (
    part integer not null,
    file_hash text not null references looks (file_hash) on delete cascade,
    primary key (part, file_hash)
);
create index look_parts_file on look_parts (file_hash);

-- What is not taken any more. The files themselves are not kept for it.
create table blocks (
    id uuid primary key,
    -- Null: on no channel.
    channel_id uuid references channels (id),
    type text not null check (type in ('image', 'gif', 'video', 'audio')),
    -- Of what was sent, and of its rendition; null where there was none.
    source_hash text check (source_hash ~ '^[0-9a-f]{64}$'),
    file_hash text check (file_hash ~ '^[0-9a-f]{64}$'),
    -- As in `looks`; empty where nothing is known.
    frames bigint[] not null default '{}',
    created_at timestamptz not null default app_now(),
    check (source_hash is not null or file_hash is not null)
);
create index blocks_source on blocks (source_hash);
create index blocks_file on blocks (file_hash);
create index blocks_channel on blocks (channel_id, created_at desc, id);
create trigger blocks_forgotten before insert on blocks
    for each row execute function refuse_forgotten('channel_id');
create table block_parts (
    part integer not null,
    block_id uuid not null references blocks (id) on delete cascade,
    primary key (part, block_id)
);
create index block_parts_block on block_parts (block_id);

-- Which of the channel's memes looks like it.
alter table meme_submissions add column similar_meme_id uuid references memes (id);

create index memes_asset on memes (asset_id);
