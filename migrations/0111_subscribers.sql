-- Subscribers of a channel may pay less and wait less for their next turn.

alter table channels
    -- Whole per cents.
    add column subscriber_discount_bp integer not null default 0
        check (subscriber_discount_bp between 0 and 10000 and subscriber_discount_bp % 100 = 0),
    -- A subscriber's further waiting item stands back by so many times less.
    add column subscriber_turn_weight smallint not null default 1 check (subscriber_turn_weight between 1 and 10);

create index chat_messages_subscribers on chat_messages (channel_id, platform, author_id, sent_at desc) where roles & 8 <> 0;
create index external_reward_events_subscribers on external_reward_events (channel_id, provider, account_id, happened_at desc)
    where trigger in ('twitch_subscribe', 'twitch_resub_message');

-- Whether the person subscribes to the channel, as far as a linked account of theirs has shown within a month and a day (for which
-- a subscription is paid): by a line in its chat with the badge, or by subscribing.
create function subscribes(channel uuid, person uuid) returns boolean language sql stable as $$
    select exists (
        select from external_accounts x
        where x.user_id = person
          and (exists (select from chat_messages l
                       where l.channel_id = channel and l.platform = x.provider and l.author_id = x.provider_user_id
                         and l.roles & 8 <> 0 and l.sent_at > app_now() - interval '32 days')
               or exists (select from external_reward_events e
                          where e.channel_id = channel and e.provider = x.provider and e.account_id = x.provider_user_id
                            and e.trigger in ('twitch_subscribe', 'twitch_resub_message')
                            and e.happened_at > app_now() - interval '32 days'))
    )
$$;
