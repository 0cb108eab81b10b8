-- A channel has an account on each platform where its chat is: until now it could be of one only.

create table channel_accounts (
    channel_id uuid not null references channels (id),
    platform text not null,
    -- Its id there; null until the platform has told it.
    account text,
    -- Its name there, in small letters; null where platforms have none but an id.
    login text,
    primary key (channel_id, platform),
    check (account is not null or login is not null)
);

-- What happens there is told with the id.
create unique index channel_accounts_there on channel_accounts (platform, account) where account is not null;

create trigger channel_accounts_forgotten before insert or update on channel_accounts
    for each row execute function refuse_forgotten('channel_id');

insert into channel_accounts (channel_id, platform, account, login)
select id, 'twitch', twitch_channel_id, twitch_login from channels
where twitch_channel_id is not null or twitch_login is not null;

-- Processes of the release before read and write the columns; they go with the release after.
create function channel_account_to_column() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.platform = 'twitch' then
            update channels set twitch_channel_id = null, twitch_login = null
            where id = old.channel_id and (twitch_channel_id is not null or twitch_login is not null);
        end if;
    elsif new.platform = 'twitch' then
        update channels set twitch_channel_id = new.account, twitch_login = new.login
        where id = new.channel_id and (twitch_channel_id, twitch_login) is distinct from (new.account, new.login);
    end if;
    return null;
end
$$;

create trigger channel_accounts_to_column after insert or update or delete on channel_accounts
    for each row execute function channel_account_to_column();

create function channel_account_from_column() returns trigger language plpgsql as $$
begin
    if new.twitch_channel_id is null and new.twitch_login is null then
        delete from channel_accounts where channel_id = new.id and platform = 'twitch';
    else
        insert into channel_accounts as there (channel_id, platform, account, login)
        values (new.id, 'twitch', new.twitch_channel_id, new.twitch_login)
        on conflict (channel_id, platform) do update set account = excluded.account, login = excluded.login
        where (there.account, there.login) is distinct from (excluded.account, excluded.login);
    end if;
    return null;
end
$$;

create trigger channels_account_from_column after update of twitch_channel_id, twitch_login on channels
    for each row when ((old.twitch_channel_id, old.twitch_login) is distinct from (new.twitch_channel_id, new.twitch_login))
    execute function channel_account_from_column();
