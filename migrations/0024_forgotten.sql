-- Whoever asks to be forgotten stays so. What was on its way at that moment (a request that was let in before, a member of the
-- team, a job) must not write a row that the erasure has passed already, so the tables themselves refuse rows of such a person.
--
-- Whoever writes shares the person's row until the end of the transaction; whoever asks to be forgotten has it alone. So a
-- writer was either first, and what it wrote is found by the erasure, or it is refused.

-- Arguments: the columns that name whose row it is; `channel_id` stands for the channel's owner.
create function refuse_forgotten() returns trigger language plpgsql as $$
declare
    named uuid;
begin
    for place in 0 .. tg_nargs - 1 loop
        named := (to_jsonb(new) ->> tg_argv[place])::uuid;
        if tg_argv[place] = 'channel_id' then
            select owner_id into named from channels where id = named;
        end if;
        continue when named is null;
        perform from users where id = named and erased_at is null for key share;
        if not found then
            raise exception 'a row in % of somebody who is forgotten', tg_table_name using errcode = 'MAF01';
        end if;
    end loop;
    return new;
end $$;

create trigger channel_members_forgotten before insert or update on channel_members
    for each row execute function refuse_forgotten('user_id', 'channel_id');
create trigger oauth_states_forgotten before insert on oauth_states
    for each row execute function refuse_forgotten('user_id');
create trigger second_factors_forgotten before insert on second_factors
    for each row execute function refuse_forgotten('user_id');
create trigger recovery_codes_forgotten before insert on recovery_codes
    for each row execute function refuse_forgotten('user_id');
create trigger mails_forgotten before insert on mails
    for each row execute function refuse_forgotten('user_id');
create trigger exports_forgotten before insert on exports
    for each row execute function refuse_forgotten('user_id');
create trigger chat_commands_forgotten before insert or update on chat_commands
    for each row execute function refuse_forgotten('channel_id');
create trigger bot_integrations_forgotten before insert or update on bot_integrations
    for each row execute function refuse_forgotten('channel_id');
-- What is left by the erasure itself passes.
create trigger tokens_forgotten before insert or update of name on tokens
    for each row when (new.name <> 'deleted') execute function refuse_forgotten('channel_id');
create trigger promotions_forgotten before insert or update of name on promotions
    for each row when (new.name <> '') execute function refuse_forgotten('channel_id');
-- A file that is being worked on is waited for, and may become a meme meanwhile: only new words are refused.
create trigger memes_forgotten before update of title on memes
    for each row when (new.title <> '') execute function refuse_forgotten('channel_id');
create trigger meme_submissions_forgotten before insert or update of title, notes, tags on meme_submissions
    for each row when (new.title <> '') execute function refuse_forgotten('submitter_id');
-- What a bot answers in chats goes with the messages of its channel; what somebody says by hand is refused.
create trigger outbox_messages_forgotten before insert on outbox_messages
    for each row when (new.source = 'say') execute function refuse_forgotten('channel_id');
create trigger people_acts_forgotten before insert on people_acts
    for each row when (new.before is not null or new.after is not null or new.reason is not null)
    execute function refuse_forgotten('user_id', 'channel_id');

-- Only the erasure takes the name away, once.
create trigger users_forgotten before update of display_name, avatar_url, email, password_hash on users
    for each row when (new.erased_at is not null and (new.login not like 'deleted-%' or old.login like 'deleted-%'))
    execute function refuse_forgotten('id');
create trigger channels_forgotten before update of name, description, overlay_style_json, credits_style_json on channels
    for each row when (new.slug not like 'deleted-%' or old.slug like 'deleted-%')
    execute function refuse_forgotten('owner_id');
