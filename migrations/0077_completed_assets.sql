-- Assets that are older than loudness, pictures and looks get them, a few at a time and each once.

alter table meme_assets
    -- When what may be missing was ordered; null for what is older than all of it.
    add column completed_at timestamptz;
-- What is made from now on is complete, or has ordered what it lacks.
alter table meme_assets alter column completed_at set default app_now();
create index meme_assets_incomplete on meme_assets (id) where completed_at is null;
