-- A streamer says what plays first, and what becomes of wishes that nobody would see.

alter table channels
    -- What is larger plays first, by what asked for it.
    add column donation_priority smallint not null default 20 check (donation_priority between -100 and 100),
    add column redeem_priority smallint not null default 10 check (redeem_priority between -100 and 100),
    add column chat_priority smallint not null default 0 check (chat_priority between -100 and 100),
    add column coins_priority smallint not null default 0 check (coins_priority between -100 and 100),
    -- While no overlay is connected: `wait` two minutes for one, `refuse` what viewers pay for, or `expire` it within seconds.
    add column when_no_overlay text not null default 'wait' check (when_no_overlay in ('wait', 'refuse', 'expire'));
