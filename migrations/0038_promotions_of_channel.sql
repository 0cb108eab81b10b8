-- A channel's list of its promotions has those, too, that are switched off, which the index of the running ones has not.
create index promotions_of_channel on promotions (channel_id, created_at desc) where deleted_at is null;
