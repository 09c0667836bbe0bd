SET LOCAL convgen.every_workspace = 'on';  -- these are the rows of all

CREATE TABLE generation_generationlog_plain (LIKE generation_generationlog INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO generation_generationlog_plain SELECT * FROM generation_generationlog;
