-- A channel's memes are looked through: by tag, by kind, in several orders, and by words in Russian and English.

-- Words as they are compared: in small letters, whatever the database's locale knows of Cyrillic, and with ё as е, as people
-- type it. Bodies like this one are read where they are defined, so that a restored dump finds what they name.
create function fold_words(words text) returns text language sql immutable strict parallel safe
    return translate(lower(words), 'АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯё', 'абвгдеежзийклмнопрстуфхцчшщъыьэюяе');

-- What a meme is found by: its words as they are, and their stems in both languages; the channel is a word of its own, so that a
-- search reads its own channel's memes only.
create function meme_search(channel_id uuid, title text, tags text[]) returns tsvector
    language sql immutable parallel safe
    return setweight(to_tsvector('pg_catalog.simple', fold_words(title)), 'A')
        || setweight(to_tsvector('pg_catalog.russian', fold_words(title)) || to_tsvector('pg_catalog.english', fold_words(title)), 'B')
        || setweight(to_tsvector('pg_catalog.simple', fold_words(array_to_string(tags, ' '))), 'B')
        || setweight(to_tsvector('pg_catalog.russian', fold_words(array_to_string(tags, ' '))), 'C')
        || array_to_tsvector(array['channel:' || channel_id]);

alter table memes
    add column tags text[] not null default '{}' check (cardinality(tags) <= 20),
    -- Of its asset, which never changes.
    add column type text,
    -- Seconds begun, which the price of a meme without one of its own goes by.
    add column seconds integer,
    add column search tsvector generated always as (meme_search(channel_id, title, tags)) stored;

create function describe_meme() returns trigger language plpgsql as $$
begin
    select a.type, (a.duration_ms + 999) / 1000 into new.type, new.seconds from meme_assets a where a.id = new.asset_id;
    return new;
end $$;
create trigger memes_described before insert on memes for each row execute function describe_meme();

-- Tags of memes that can be played.
create table meme_tags (
    channel_id uuid not null references channels (id),
    tag text not null,
    created_at timestamptz not null,
    meme_id uuid not null references memes (id),
    primary key (meme_id, tag)
);
create index meme_tags_walk on meme_tags (channel_id, tag, created_at desc, meme_id);

-- Words of a channel's memes by their trigrams: a word that is none of them is taken for one that it resembles. Tables of ours
-- instead of pg_trgm, which is not on every server, or not for everybody.
create table meme_words (
    channel_id uuid not null references channels (id),
    trigram text not null,
    word text not null,
    primary key (channel_id, trigram, word)
);

-- Keeps both with the memes; not for somebody who is forgotten, whose row whoever writes here shares until the end.
create function index_meme() returns trigger language plpgsql as $$
begin
    delete from meme_tags where meme_id = new.id;
    if new.status <> 'approved' then
        return null;
    end if;
    perform from channels c join users u on u.id = c.owner_id
        where c.id = new.channel_id and u.erased_at is null for key share of u;
    if not found then
        return null;
    end if;
    insert into meme_tags (channel_id, tag, created_at, meme_id)
        select distinct new.channel_id, tag, new.created_at, new.id from unnest(new.tags) as tag;
    insert into meme_words (channel_id, trigram, word)
        select distinct new.channel_id, substr('  ' || found.term || ' ', place, 3) as trigram, found.term
        from unnest(tsvector_to_array(
                 to_tsvector('pg_catalog.simple', fold_words(new.title || ' ' || array_to_string(new.tags, ' '))))) as found (term)
        cross join lateral generate_series(1, length(found.term) + 1) as place
        where length(found.term) between 3 and 40
          and not exists (select from meme_words known where known.channel_id = new.channel_id
                          and known.trigram = substr('  ' || found.term, 1, 3) and known.word = found.term)
        -- Two who bring the same words meet in one order.
        order by trigram, found.term
        on conflict do nothing;
    return null;
end $$;
create trigger memes_indexed after insert or update of title, tags, status on memes
    for each row execute function index_meme();

-- What there is already: the tags of what was sent in, kind and length, and by the triggers everything else.
update memes m
set type = a.type, seconds = (a.duration_ms + 999) / 1000, status = m.status,
    tags = coalesce((select array(select distinct left(trim(tag), 50) from jsonb_array_elements_text(s.tags) as tag where trim(tag) <> '')
                     from meme_submissions s where s.meme_id = m.id and m.status = 'approved' order by s.id limit 1), '{}')
from meme_assets a
where a.id = m.asset_id;

create trigger memes_tags_forgotten before update of tags on memes
    for each row when (new.tags <> '{}') execute function refuse_forgotten('channel_id');

-- One for each order in which the catalogue is walked; the newest first has one already.
create index memes_of_type on memes (channel_id, type, created_at desc, id) where status = 'approved';
create index memes_by_title on memes (channel_id, fold_words(title) collate "C", id) where status = 'approved';
-- By price: those with a price of their own, and those without by their length.
create index memes_by_price on memes (channel_id, price, id) where status = 'approved' and price is not null;
create index memes_by_length on memes (channel_id, seconds, id) where status = 'approved' and price is null;
create index memes_search on memes using gin (search) with (fastupdate = off) where status = 'approved';
