-- People who may look at the pages of ops (queues, jobs, the log of acts) and change nothing there.
alter table users add column observer boolean not null default false;
