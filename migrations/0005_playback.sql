-- Activations: memes that viewers paid for, from the queue to the screen.

create table activations (
    id uuid primary key,
    channel_id uuid not null references channels (id),
    user_id uuid not null references users (id),
    meme_id uuid not null references memes (id),
    -- `meme` is paid for; `test` is the streamer's test event and moves no coins.
    source text not null default 'meme' check (source in ('meme', 'test')),
    status text not null default 'queued' check (status in ('queued', 'playing', 'done', 'failed', 'cancelled')),
    -- Why it ended, from a closed list (domain `activations::Reason`); set with every end but `done`.
    reason text,
    -- What the screen said about a failure, for the streamer's eyes.
    detail text,

    -- Frozen when it was placed.
    price bigint not null check (price >= 0),
    discount_bp integer not null default 0,
    promotion_id uuid references promotions (id),
    final_price bigint not null check (final_price between 0 and price),
    rule_version smallint not null default 1,
    sender_name text not null,
    title text not null,
    type text not null,
    file_hash text not null,
    duration_ms integer not null,

    -- Order of play: priority desc, turn_at, id.
    priority smallint not null default 0,
    turn_at timestamptz not null,
    -- Patience counts from here: when it was placed, shifted by every pause of playback that it waited through.
    waits_from timestamptz not null default app_now(),

    -- The play: raised with every start; a screen that answers with an older one is refused.
    play_epoch bigint not null default 0,
    dispatched_at timestamptz,
    -- The first screen said `started`.
    started_at timestamptz,
    -- A playing item that has not ended by then is refunded.
    deadline timestamptz,
    ended_at timestamptz,
    created_at timestamptz not null default app_now(),
    check ((status in ('done', 'failed', 'cancelled')) = (ended_at is not null)),
    check (status in ('queued', 'playing', 'done') or reason is not null)
);
create index activations_turn on activations (channel_id, priority desc, turn_at, id) where status = 'queued';
create index activations_playing on activations (channel_id) where status = 'playing';
create index activations_history on activations (channel_id, created_at desc, id);
create index activations_of_viewer on activations (user_id, channel_id, turn_at desc) where status = 'queued';

-- One row a channel: locked while an item is started, so that one advance at a time decides.
create table lanes (
    channel_id uuid primary key references channels (id),
    play_epoch bigint not null default 0,
    -- When the queue last had no screen to show on; null while one is connected. Patience counts from here.
    screenless_since timestamptz default app_now(),
    -- When `queue:state` was last told: the bound on how often is here.
    announced_at timestamptz not null default '-infinity'
) with (fillfactor = 50);

-- Screens that show a channel now. Renewed by their process; older than 40 s is gone.
create table screens (
    -- Chosen by the page, so it means something within its channel only.
    id uuid not null,
    channel_id uuid not null references channels (id),
    kind text not null check (kind in ('obs', 'browser')),
    connected_at timestamptz not null default app_now(),
    seen_at timestamptz not null default app_now(),
    primary key (channel_id, id)
);

-- Which screens answered for which play: `failed` counts only if no other screen started.
create table screen_reports (
    activation_id uuid not null references activations (id),
    play_epoch bigint not null,
    screen_id uuid not null,
    state text not null check (state in ('started', 'done', 'failed')),
    reported_at timestamptz not null default app_now(),
    primary key (activation_id, play_epoch, screen_id)
);
