-- What a message is, as far as its words tell; the words for it are those of jobs/domain/src/chat/category.rs.
alter table chat_messages add column category text not null default 'general' check (length(category) between 1 and 50);

-- They are shown as they were said, and written by their content ids.
create index chat_messages_sent on chat_messages (channel_id, sent_at desc, id desc);

-- What the chat shows: messages but for those that somebody has taken out of it, read before or after that.
create view chat_messages_standing as
select m.id, m.platform, m.channel_id, m.content_id, m.author_id, m.author_login, m.author_name, m.roles, m.text, m.sent_at,
       m.received_at, m.category
from chat_messages m
where not exists (select from chat_removals r
                  where r.channel_id = m.channel_id and r.platform = m.platform and r.scope = 'message'
                    and r.subject = m.content_id)
  and not exists (select from chat_removals r
                  where r.channel_id = m.channel_id and r.platform = m.platform and r.scope = 'author'
                    and r.subject = m.author_id and r.until >= m.sent_at)
  and not exists (select from chat_removals r
                  where r.channel_id = m.channel_id and r.platform = m.platform and r.scope = 'all'
                    and r.subject = '' and r.until >= m.sent_at);
