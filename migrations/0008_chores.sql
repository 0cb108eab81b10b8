-- What nobody needs any more is found without reading the rest: chat is trimmed by age (job `trim-chat`).
create index chat_messages_received on chat_messages (received_at);
create index chat_dead_letters_created on chat_dead_letters (created_at);

-- The order that is enqueued when this job is given up (dead, or discarded by hand): how its business hears of it. It rides
-- along in the row, because whoever gives a job up (another pool's janitor, an operator) need not know its kind. An object
-- with kind, version, pool, payload, priority, max_attempts, event_key, order_key.
alter table jobs add column last_wish jsonb;
