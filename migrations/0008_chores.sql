-- What nobody needs any more is found without reading the rest: chat is trimmed by age (job `trim-chat`).
create index chat_messages_received on chat_messages (received_at);
create index chat_dead_letters_created on chat_dead_letters (created_at);
