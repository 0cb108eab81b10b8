-- When a channel takes submissions: never, always, or only while its streamer is live; and a link that switches it.

alter table channels
    add column submissions_enabled boolean not null default true,
    add column submissions_only_when_live boolean not null default false,
    -- Since when the streamer is live; null while not.
    add column live_since timestamptz,
    -- Raised by "rotate": links of older versions are dead.
    add column submissions_token_version integer not null default 1;
