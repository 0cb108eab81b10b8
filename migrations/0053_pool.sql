-- What one channel shows, others may take: the pool is looked through by kind, the newest first.

create index meme_assets_pool on meme_assets (type, created_at desc, id) where hidden_at is null;

-- Nobody has made anything for it, so nobody is paid for it.
alter table meme_submissions add column from_pool boolean not null default false;
