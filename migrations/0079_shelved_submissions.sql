-- What somebody has sent in who is banned is rejected, and comes back when the ban is taken back soon enough: until then its files stay.

alter table meme_submissions
    add column shelved_asset_id uuid references meme_assets (id),
    -- What it was before.
    add column shelved_status text check (shelved_status in ('pending', 'needs_changes')),
    add column shelved_at timestamptz,
    add constraint shelved_whole check (num_nulls(shelved_asset_id, shelved_status, shelved_at) in (0, 3));
create index meme_submissions_shelved_asset on meme_submissions (shelved_asset_id) where shelved_asset_id is not null;
create index meme_submissions_shelved on meme_submissions (submitter_id) where shelved_at is not null;
