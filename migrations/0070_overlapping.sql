-- Two lanes a channel: what plays one after the other, and what plays beside it at once (short sounds, say).

alter table memes add column is_overlapping boolean not null default false;
-- Frozen when it was placed, as all that decides how it plays.
alter table activations add column is_overlapping boolean not null default false;
-- The order of play of the second lane. The first one walks `activations_turn`, past the few of this one that wait.
create index activations_overlapping on activations (channel_id, priority desc, turn_at, id)
    where status = 'queued' and is_overlapping;
alter table channels
    -- How many of the second lane play at once.
    add column overlay_max_overlapping smallint not null default 3 check (overlay_max_overlapping between 1 and 5);
