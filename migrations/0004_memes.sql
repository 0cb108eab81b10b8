-- Files by content, what they show, and the memes that channels offer. Submissions: how memes come to be.

create table file_hashes (
    -- SHA-256 of the bytes, lower-case hex: also the file's name in the store.
    hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
    -- Bytes.
    size bigint not null check (size >= 0),
    mime_type text not null,
    -- Assets and unfinished submissions that need the file; at 0 row and file go together.
    reference_count integer not null default 0 check (reference_count >= 0),
    created_at timestamptz not null default app_now()
);

-- Something that can be shown: a rendition that is safe to serve.
create table meme_assets (
    id uuid primary key,
    type text not null check (type in ('image', 'gif', 'video', 'audio')),
    file_hash text not null references file_hashes (hash),
    -- Of the uploaded bytes; null for assets that we made.
    source_hash text references file_hashes (hash),
    duration_ms integer not null check (duration_ms > 0),
    width integer,
    height integer,
    created_at timestamptz not null default app_now()
);
create index meme_assets_file on meme_assets (file_hash);
create index meme_assets_source on meme_assets (source_hash) where source_hash is not null;

create table memes (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    asset_id uuid not null references meme_assets (id),
    title text not null check (length(title) <= 200),
    -- Null: the channel's default price.
    price bigint check (price between 0 and 1000000000),
    status text not null default 'approved' check (status in ('pending', 'approved', 'rejected', 'deleted')),
    created_by uuid not null references users (id),
    created_at timestamptz not null default app_now(),
    deleted_at timestamptz
);
create index memes_channel on memes (channel_id, created_at desc, id) where status = 'approved';

-- What somebody sent in, from its first byte to its meme. Two states: what the streamer decided (`status`), and how far
-- the file has come (`upload_state`).
create table meme_submissions (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    submitter_id uuid not null references users (id),
    type text not null check (type in ('image', 'gif', 'video', 'audio')),
    title text not null check (length(title) <= 200),
    notes text check (length(notes) <= 500),
    -- Array of strings.
    tags jsonb not null default '[]' check (jsonb_typeof(tags) = 'array'),
    -- What the client said about the length; the probe decides.
    claimed_duration_ms integer,
    status text not null default 'pending' check (status in ('pending', 'needs_changes', 'approved', 'rejected')),
    upload_state text not null default 'received'
        check (upload_state in ('received', 'probing', 'transcoding', 'ready', 'failed')),
    -- Per cent of the transcode.
    progress smallint not null default 0 check (progress between 0 and 100),
    -- The wire's error code and a sentence for its reader; set with `failed`.
    error_code text,
    error_detail text,
    -- Of the uploaded bytes. While the file is being worked on, the submission holds a reference; then its asset does.
    source_hash text not null check (source_hash ~ '^[0-9a-f]{64}$'),
    source_size bigint not null,
    -- By magic bytes, not by what the client said.
    source_mime_type text not null,
    -- What ffprobe found (`media::Probe`).
    probe jsonb,
    asset_id uuid references meme_assets (id),
    meme_id uuid references memes (id),
    -- Raised with each file that is sent for it.
    revision smallint not null default 1,
    created_at timestamptz not null default app_now(),
    updated_at timestamptz not null default app_now(),
    check ((upload_state = 'failed') = (error_code is not null)),
    check ((upload_state = 'ready') = (asset_id is not null))
);
create index meme_submissions_of_submitter on meme_submissions (submitter_id, created_at desc, id);
create index meme_submissions_of_channel on meme_submissions (channel_id, status, created_at desc, id);
