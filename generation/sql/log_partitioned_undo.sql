-- With the months that belong to it.
DROP TABLE generation_generationlog;
ALTER TABLE generation_generationlog_plain RENAME TO generation_generationlog;
ALTER TABLE generation_generationlog ADD CONSTRAINT generation_generationlog_pkey PRIMARY KEY (id);
