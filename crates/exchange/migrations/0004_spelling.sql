-- Company prefixes that a subject's events have named in EPC URNs: where a Digital Link of the same
-- subject is to be written as a URN, they say how long the prefix is.
CREATE TABLE epcis_company (
    subject_id @code NOT NULL,
    company @code NOT NULL,
    PRIMARY KEY (subject_id, company)
);

-- 主数据 (EPCIS 2.0 §6.1.2, §9.4, §9.6.2): what documents tell in their headers of places, steps and
-- the like, as the subject tells it to whom the document belongs. It explains that subject's events
-- and nobody else's. `role` is the kind of thing in short.
CREATE TABLE epcis_master (
    subject_id @code NOT NULL,
    role @code NOT NULL,
    term @code NOT NULL,
    capture_id @code NOT NULL,
    PRIMARY KEY (subject_id, role, term)
);

-- What lies directly in it, in the one spelling that is searched for.
CREATE TABLE epcis_master_child (
    subject_id @code NOT NULL,
    role @code NOT NULL,
    term @code NOT NULL,
    child @code NOT NULL,
    PRIMARY KEY (subject_id, role, term, child)
);
CREATE INDEX epcis_master_parent ON epcis_master_child (term);

-- Its attributes; of values that are too long for a comparison their SM3.
CREATE TABLE epcis_master_attribute (
    subject_id @code NOT NULL,
    role @code NOT NULL,
    term @code NOT NULL,
    name @code NOT NULL,
    value @code NOT NULL,
    PRIMARY KEY (subject_id, role, term, name, value)
);
CREATE INDEX epcis_master_named ON epcis_master_attribute (name, value);
