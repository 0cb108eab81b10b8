-- Logs of channels that are no more are found without a walk over everybody's.
create index event_streams_of_channels on event_streams (key) where starts_with(key, 'channel:');
