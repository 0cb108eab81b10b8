-- The link to a channel's credits is looked after as its link to the overlay is: when and from where it was used last, and whether from
-- two addresses at once. Its row in `tokens` needs an id, as that of the overlay's link is the channel's.

alter table channels add column credits_token_id uuid not null unique default gen_random_uuid();

-- Both links are worked out from versions that stand with the channel: no hash is kept of them.
alter table tokens drop constraint tokens_check;
alter table tokens add check (id <> channel_id or hash is null);
alter table tokens add check (hash is not null or kind = 'overlay');
