-- A streamer whose bot is silent can see where it stops: who reads and writes there, and what failed last.

-- The account with which the process reads; null of a release before this one.
alter table chat_workers add column account text;

create index outbox_messages_failed on outbox_messages (channel_id, provider, updated_at desc)
    where status in ('failed', 'unknown');
