-- From where somebody has logged in lately is asked at each login, also of sessions that have ended.
create index sessions_of_user on sessions (user_id, seen_at);
