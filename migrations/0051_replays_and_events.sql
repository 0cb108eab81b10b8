-- What the streamer plays once more, and what other programs put into the queue: a donation, a reward of a platform, a
-- command in a chat.
alter table activations drop constraint activations_source_check;
alter table activations add constraint activations_source_check
    check (source in ('meme', 'test', 'replay', 'donation', 'redeem', 'chat'));
-- The play that this one repeats, which may be forgotten before it.
alter table activations add column replay_of uuid;
