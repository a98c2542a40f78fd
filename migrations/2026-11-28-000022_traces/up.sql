-- A column that may be empty changes no row, and takes its lock for a moment only.
ALTER TABLE events ADD COLUMN traceparent text;
COMMENT ON COLUMN events.traceparent IS 'Place in a trace that the publisher named, as W3C Trace Context writes it; null: no trace';
