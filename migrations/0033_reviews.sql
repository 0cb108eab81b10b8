-- Viewers send memes in, and the channel's team decides: who did, when, with which words, and what a machine found worth a look.

alter table meme_submissions
    -- Null where nobody decided by hand.
    add column moderator_id uuid references users (id),
    -- For whoever sent it in.
    add column moderator_note text check (length(moderator_note) between 1 and 500),
    add column decided_at timestamptz,
    -- Words for what checks have found; empty: nothing.
    add column flags text[] not null default '{}';

-- What is rejected gives its file back, also in the middle of the work on it: so it has no asset, and no error either.
alter table meme_submissions drop constraint meme_submissions_check;
alter table meme_submissions drop constraint meme_submissions_check1;
alter table meme_submissions add check (error_code is null or upload_state = 'failed');
alter table meme_submissions add check (upload_state <> 'failed' or status = 'rejected');
alter table meme_submissions add check (asset_id is null or upload_state = 'ready');
alter table meme_submissions add check (upload_state <> 'ready' or asset_id is not null or status = 'rejected');

-- A channel's submissions in any state, the newest first; those in one state have an index already.
create index meme_submissions_inbox on meme_submissions (channel_id, created_at desc, id);

-- Words about somebody, by somebody.
create trigger meme_submissions_notes_forgotten before update of moderator_note on meme_submissions
    for each row when (new.moderator_note is not null) execute function refuse_forgotten('submitter_id', 'moderator_id');
