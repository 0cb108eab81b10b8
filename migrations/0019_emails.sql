-- Mails to people, and the links in them that prove an address.

create table mails (
    id uuid primary key,
    -- None: somebody has forgotten a password and said an address. Whether anybody has it is found out when the mail is
    -- written, so that the answer to the question says nothing about it, in words or in time.
    user_id uuid references users (id),
    -- The words are the program's.
    kind text not null check (kind ~ '^[a-z_]{1,40}$'),
    -- Lower case.
    recipient text not null check (length(recipient) between 3 and 255),
    language text not null check (language in ('en', 'ru')),
    -- What the mail tells beside its kind, in one line.
    details text check (length(details) <= 200),
    created_at timestamptz not null default app_now(),
    ended_at timestamptz,
    -- A failed one may be tried again by hand.
    outcome text check (outcome in ('sent', 'failed', 'superseded')),
    check ((ended_at is null) = (outcome is null))
);
-- A newer mail ends older ones of its kind.
create index mails_recipient on mails (recipient, kind);
create index mails_user on mails (user_id, kind);
create index mails_created on mails (created_at);

-- A link is made when its mail is written: what opens it is in that mail and nowhere else. A mail that is written anew, because
-- nobody said whether it arrived, has a link more.
create table mail_links (
    -- SHA-256 of 256 random bits in their letters.
    hash bytea primary key check (octet_length(hash) = 32),
    mail_id uuid not null references mails (id) on delete cascade,
    user_id uuid not null references users (id),
    -- The mail's kind.
    kind text not null,
    -- The address that it proves.
    email text not null,
    expires_at timestamptz not null
);
create index mail_links_mail on mail_links (mail_id);
create index mail_links_user on mail_links (user_id);
