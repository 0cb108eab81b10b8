-- What one admin gives one person in one channel within a day counts together, however the account was named. Whose it is may be
-- known only when the coins are paid: so a grant remembers above which sum it takes another admin. Null: it needs nobody else.
alter table pending_grants add column approval_above bigint check (approval_above >= 0);
