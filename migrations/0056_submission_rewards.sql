-- A channel thanks for what it takes: coins for whoever sent in what is approved, once.
alter table channels
    -- 0: none.
    add column submission_reward_coins bigint not null default 0 check (submission_reward_coins between 0 and 1000000);
-- What the sender got; null: nothing.
alter table meme_submissions add column reward_coins bigint check (reward_coins > 0);
