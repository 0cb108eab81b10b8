-- Two processes with different keys must not lock each other out: each says which keys it opens, not only under which it seals.
-- A process of before, that does not say it, opens what it seals.
alter table key_holders add column opens text[] not null default '{}';
