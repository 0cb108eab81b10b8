-- Receipts of adjustments by hand say what the admin said of them.

create index people_acts_adjustments on people_acts (thing) where act in ('adjust_wallet', 'approve_adjustment');
