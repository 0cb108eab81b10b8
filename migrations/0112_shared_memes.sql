-- A channel may keep its memes to itself: they are not in the pool, whence other channels take.

alter table channels add column shares_memes boolean not null default true;
