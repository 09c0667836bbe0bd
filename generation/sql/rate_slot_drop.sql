DROP FUNCTION rate_slot(generation_ratestate, timestamptz, interval, integer);
