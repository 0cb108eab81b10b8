-- Memes shall sound alike: how loud each is, what evens that out, and how loud its channel wants it.

alter table meme_assets
    -- As measured (EBU R128): loudness in LUFS, true peak in dBTP; null where there is nothing to hear.
    add column loudness_lufs double precision,
    add column true_peak_dbtp double precision,
    -- Decibels that bring it to the loudness of all, as far as its peaks allow.
    add column gain_db double precision;

alter table memes
    -- Per cent.
    add column volume smallint not null default 100 check (volume between 0 and 100);

-- Frozen when it was placed, as all that it shows.
alter table activations
    add column volume smallint not null default 100 check (volume between 0 and 100),
    add column gain_db double precision;
