-- The same bytes earn once on a channel.
create index meme_submissions_rewarded on meme_submissions (channel_id, source_hash) where reward_coins is not null;

-- What was played is told in the order in which it ended.
create index activations_ended on activations (channel_id, ended_at desc, id) where ended_at is not null;
