DROP FUNCTION rate_ask(text, text, integer[], interval, interval, integer, text, bigint, text, uuid);
