-- A person's name is as long here as the doors let it be: 50 letters.
alter table users add constraint users_login_length check (length(login) between 1 and 50);
