-- What nobody needs any more is found without reading the rest: chat is trimmed by age (job `trim-chat`), so are messages
-- that were said (`trim-outbox`) and what screens said about plays (`sweep-screens`).
create index chat_messages_received on chat_messages (received_at);
create index chat_dead_letters_created on chat_dead_letters (created_at);
create index outbox_messages_created on outbox_messages (created_at);
create index screen_reports_reported on screen_reports (reported_at);

-- The order that is enqueued when this job is given up (dead, or discarded by hand): how its business hears of it. It rides
-- along in the row, because whoever gives a job up (another pool's janitor, an operator) need not know its kind. An object
-- with kind, version, pool, payload, priority, max_attempts, event_key, order_key.
alter table jobs add column last_wish jsonb;
