-- 数据字典 (G-5.3-3): what GB/T 38154 calls our data elements.

CREATE TABLE dictionary_name (
    element_set @code NOT NULL,
    element @code NOT NULL,
    gbt38154_name TEXT NOT NULL,
    PRIMARY KEY (element_set, element)
);
