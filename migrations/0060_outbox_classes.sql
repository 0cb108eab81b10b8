-- What a bot says of itself gives way to what people wait for, and is said once however often it is asked for.

alter table outbox_messages drop constraint outbox_messages_source_check;
alter table outbox_messages
    -- `say` came from the streamer, `command` answers a viewer, `greeting` somebody who follows now, `timer` says what is said
    -- from time to time.
    add constraint outbox_messages_source_check check (source in ('say', 'command', 'greeting', 'timer')),
    -- What the message is about, where a second one about it would be one too many.
    add column dedupe_key text;
create unique index outbox_messages_dedupe on outbox_messages (channel_id, provider, dedupe_key)
    where dedupe_key is not null;
