-- What is blocked on all channels is shown on none any more, until it is taken off the list.

-- The block that has hidden it; null where a person has.
alter table meme_assets add column hidden_by uuid references blocks (id);
create index meme_assets_hidden_by on meme_assets (hidden_by) where hidden_by is not null;
