-- Why somebody was given coins by hand is a sentence about a person, and nothing of the ledger is ever changed: such sentences stand
-- in `people_acts`, where they go when their person is forgotten, and the ledger has a fixed word instead. Those that it has already
-- are moved there; of adjustments that were written down there anyway (since 0021, in the same transaction) the words are there.

insert into people_acts (at, actor_id, system, act, user_id, channel_id, before, after, reason)
select o.created_at, o.actor_id, case when o.actor_id is null then 'ledger:adjust' end, 'adjust_wallet', w.user_id, o.channel_id,
       jsonb_build_object('balance', e.balance_after - e.amount), jsonb_build_object('balance', e.balance_after), o.reason
from ledger_operations o
     join ledger_entries e on e.operation_id = o.id and e.wallet_id is not null
     join wallets w on w.id = e.wallet_id
     join users u on u.id = w.user_id
     join channels c on c.id = o.channel_id
     join users host on host.id = c.owner_id
where o.kind = 'adjust' and o.reason is not null
  -- Of who is forgotten nothing is written down again.
  and u.erased_at is null and host.erased_at is null
  and not exists (
      select from people_acts a
      where a.act = 'adjust_wallet' and a.user_id = w.user_id and a.channel_id = o.channel_id
        and a.actor_id is not distinct from o.actor_id
        and a.at between o.created_at - interval '1 min' and o.created_at + interval '1 min'
        and (a.after ->> 'balance')::bigint = e.balance_after
  );

-- The one change that was ever made to the ledger.
alter table ledger_operations disable trigger ledger_operations_append_only;
update ledger_operations set reason = 'by_hand' where kind = 'adjust';
alter table ledger_operations enable trigger ledger_operations_append_only;
