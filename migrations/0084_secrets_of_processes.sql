-- A process with another MEMALERTS_SECRET than the others would refuse the sessions and tokens that they give: each says which one
-- it has, by the beginning of an HMAC under it. A process of before does not say it.
alter table key_holders add column secret text check (secret ~ '^[0-9a-f]{8}$');
