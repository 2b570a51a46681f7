-- 名称检索: in which way the forms of a register's names were written last, and where a change to
-- another way has come to.

CREATE TABLE search_form (
    entity @code PRIMARY KEY,
    edition BIGINT NOT NULL,
    reached @code NOT NULL
);
