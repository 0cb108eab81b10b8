-- What a meme looks like before it is played: a still picture, and some seconds that move.

alter table meme_assets
    add column poster_hash text references file_hashes (hash),
    add column preview_hash text references file_hashes (hash);
create index meme_assets_poster on meme_assets (poster_hash) where poster_hash is not null;
create index meme_assets_preview on meme_assets (preview_hash) where preview_hash is not null;
