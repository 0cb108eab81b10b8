-- A meme can be sent in by the address of its file, which a job fetches.

alter table meme_submissions
    -- Until the file is there, the submission has that of nothing: hash of no bytes, size 0.
    add column source_url text check (length(source_url) between 1 and 2000);
