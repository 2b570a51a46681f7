use std::sync::Arc;

use super::{
    Condition, Direction, MasterField, OrderBy, PlaceField, Places, Query, matches, matches_within,
};
use crate::{Context, Event, Json, Limits};

fn context() -> Arc<Context> {
    let mut context = Context::default();
    context.declare("e", "https://e.example/");
    Arc::new(context)
}

fn event(text: &str) -> Event {
    let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    Event::new(json, &context(), 10).unwrap()
}

/// An event that has everything an object event can have.
fn rich() -> Event {
    event(
        r##"{"type":"ObjectEvent","eventTime":"2024-05-01T08:00:00+08:00",
        "eventTimeZoneOffset":"+08:00","recordTime":"2024-05-01T09:00:00+08:00",
        "eventID":"urn:uuid:1","action":"ADD","bizStep":"packing","disposition":"in_progress",
        "errorDeclaration":{"declarationTime":"2024-05-02T00:00:00Z","reason":"incorrect_data",
        "correctiveEventIDs":["urn:uuid:2"],"e:why":"typo","e:deep":{"e:who":"甲"}},
        "persistentDisposition":{"set":["damaged"],"unset":["conformant"]},
        "epcList":["urn:epc:id:sgtin:4012345.011111.987"],
        "quantityList":[{"epcClass":"urn:epc:class:lgtin:4012345.012345.L1","quantity":2.5,"uom":"KGM"},
        {"epcClass":"urn:epc:idpat:sgtin:4012345.012346.*","quantity":12}],
        "readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0","e:shelf":7,"e:deep":{"e:row":"B"}},
        "bizLocation":{"id":"https://example.com/414/4012345000115","e:shelf":8},
        "bizTransactionList":[{"type":"po","bizTransaction":"urn:epcglobal:cbv:bt:1:2"}],
        "sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:4012345.00000"}],
        "destinationList":[{"type":"location","destination":"urn:epc:id:sgln:4012345.00012.0"}],
        "sensorElementList":[{"sensorMetadata":{"time":"2024-05-01T00:00:00Z",
        "startTime":"2024-05-01T00:00:00Z","endTime":"2024-05-01T01:00:00Z",
        "deviceID":"urn:epc:id:giai:4000001.111","bizRules":"https://r.example/1","e:meta":"m"},
        "sensorReport":[{"type":"Temperature","value":26,"minValue":25.5,"maxValue":27,
        "meanValue":26.1,"sDev":0.1,"percRank":50,"percValue":12.7,"uom":"CEL",
        "time":"2024-05-01T00:30:00Z","exception":"ALARM_CONDITION","component":"x",
        "deviceID":"urn:epc:id:giai:4000001.222","rawData":"https://raw.example/1",
        "dataProcessingMethod":"https://m.example/1","microorganism":"https://t.example/1",
        "chemicalSubstance":"https://c.example/1","stringValue":"s","booleanValue":true,
        "hexBinaryValue":"f0","uriValue":"https://u.example/1",
        "coordinateReferenceSystem":"https://crs.example/1","deviceMetadata":"https://d.example/1",
        "e:note":"n"}],"e:probe":{"e:kind":"k"}}],
        "ilmd":{"e:lot":"L1","cbvmda:lotNumber":"M1","e:best":"2024-06-01T00:00:00Z","e:deep":{"e:grade":["A","B"]}},
        "e:price":{"@unit":"CNY","@e:kind":"net","#text":"12.50"},"e:tags":["red","green"],
        "e:deep":{"e:inside":{"e:score":3}}}"##,
    )
}

fn parse(parameter: &str, value: &str) -> Result<Query, Vec<crate::Fault>> {
    Query::parse([(parameter, value)], &context())
}

fn holds(parameter: &str, value: &str) -> bool {
    matches(
        &parse(parameter, value).unwrap_or_else(|faults| panic!("{parameter}: {faults:?}")),
        &rich(),
    )
}

/// Each parameter with a value that finds the event and one that does not.
#[rustfmt::skip]
const CASES: [(&str, &str, &str); 111] = [
    ("eventType", "AggregationEvent|ObjectEvent", "AssociationEvent"),
    ("GE_eventTime", "2024-05-01T00:00:00Z", "2024-05-01T00:00:00.001Z"),
    ("LT_eventTime", "2024-05-01T00:00:00.001Z", "2024-05-01T00:00:00Z"),
    ("GE_recordTime", "2024-05-01T01:00:00Z", "2024-05-01T01:00:01Z"),
    ("LT_recordTime", "2024-05-01T01:00:01Z", "2024-05-01T01:00:00Z"),
    ("EQ_action", "ADD|DELETE", "OBSERVE"),
    ("EQ_bizStep", "shipping|urn:epcglobal:cbv:bizstep:packing", "shipping"),
    ("EQ_disposition", "https://ref.gs1.org/cbv/Disp-in_progress", "in_transit"),
    ("EQ_persistentDisposition_set", "damaged", "conformant"),
    ("EQ_persistentDisposition_unset", "conformant", "damaged"),
    ("EQ_readPoint", "https://id.gs1.org/414/4012345000054", "urn:epc:id:sgln:4012345.00005.1"),
    ("WD_readPoint", "urn:epc:id:sgln:4012345.00005.0", "urn:epc:id:sgln:4012345.00006.0"),
    ("EQ_bizLocation", "urn:epc:id:sgln:4012345.00011.0", "urn:epc:id:sgln:4012345.00012.0"),
    ("WD_bizLocation", "urn:epc:id:sgln:4012345.00011.0", "urn:epc:id:sgln:4012345.00012.0"),
    ("EQ_bizTransaction_po", "urn:epcglobal:cbv:bt:1:2", "urn:epcglobal:cbv:bt:1:3"),
    ("EQ_source_owning_party", "https://id.gs1.org/417/4012345000009", "urn:epc:id:pgln:4012345.00001"),
    ("EQ_destination_location", "urn:epc:id:sgln:4012345.00012.0", "urn:epc:id:sgln:4012345.00013.0"),
    ("EQ_eventID", "urn:uuid:1", "urn:uuid:2"),
    ("EQ_errorReason", "incorrect_data", "did_not_occur"),
    ("EQ_correctiveEventID", "urn:uuid:2", "urn:uuid:1"),
    ("GE_errorDeclarationTime", "2024-05-02T00:00:00Z", "2024-05-02T00:00:01Z"),
    ("LT_errorDeclaration_Time", "2024-05-02T00:00:01Z", "2024-05-02T00:00:00Z"),
    ("MATCH_epc", "urn:epc:idpat:sgtin:4012345.*.*", "urn:epc:idpat:sgtin:4012346.*.*"),
    ("MATCH_epc", "https://id.gs1.org/01/04012345111118/21/987", "urn:epc:id:sgtin:4012345.011111.988"),
    ("MATCH_anyEPC", "urn:epc:id:sgtin:4012345.011111.987", "urn:epc:id:sscc:4012345.0000000333"),
    ("MATCH_epcClass", "https://id.gs1.org/01/04012345123456/10/L1", "urn:epc:class:lgtin:4012345.012345.L2"),
    ("MATCH_anyEPCClass", "urn:epc:idpat:sgtin:4012345.012346.*", "urn:epc:idpat:sgtin:4012345.012347.*"),
    ("EQ_quantity", "11|12", "11|2"),
    ("EQ_quantity", "2.50", "2500"),
    ("GE_quantity", "12", "12.1"),
    ("GT_quantity", "11", "12"),
    ("LE_quantity", "2.5", "2.4"),
    ("LT_quantity", "12", "2.5"),
    ("EQ_quantity_KGM", "2.50", "12"),
    ("GE_quantity_GRM", "2500", "2501"),
    ("LT_quantity_TNE", "0.003", "0.0025"),
    ("EQ_type", "gs1:Temperature", "Mass"),
    ("EQ_exception", "ALARM_CONDITION", "ERROR_CONDITION"),
    ("EQ_component", "x", "y"),
    ("EQ_value", "26.0", "299.15"),
    ("GE_value", "26", "26.1"),
    ("LT_minValue", "25.6", "25.5"),
    ("GT_maxValue", "26.9", "27"),
    ("EQ_meanValue", "26.10", "26"),
    ("LT_sDev", "0.2", "0.1"),
    ("GE_percValue", "12.7", "12.8"),
    ("EQ_value_CEL", "26.0", "26.1"),
    ("EQ_value_KEL", "299.15", "299.16"),
    ("GE_value_FAH", "78.8", "78.9"),
    ("GE_minValue_CEL", "25.5", "25.6"),
    ("LT_maxValue_KEL", "300.16", "300.15"),
    ("LE_meanValue_CEL", "26.1", "26"),
    ("GT_sDev_CEL", "0.09", "0.1"),
    ("EQ_sDev_KEL", "0.1", "273.25"),
    ("EQ_sDev_FAH", "0.18", "32.18"),
    ("GE_percRank", "50", "51"),
    ("EQ_percValue_CEL", "12.7", "12.8"),
    ("GE_time", "2024-05-01T00:30:00Z", "2024-05-01T00:30:01Z"),
    ("GE_SENSORREPORT_time", "2024-05-01T00:30:00Z", "2024-05-01T00:30:01Z"),
    ("GE_SENSORMETADATA_time", "2024-05-01T00:00:00Z", "2024-05-01T00:30:00Z"),
    ("LT_time", "2024-05-01T00:00:01Z", "2024-05-01T00:00:00Z"),
    ("GE_startTime", "2024-05-01T00:00:00Z", "2024-05-01T00:00:01Z"),
    ("LT_endTime", "2024-05-01T01:00:01Z", "2024-05-01T01:00:00Z"),
    ("EQ_deviceID", "https://id.gs1.org/8004/4000001222", "urn:epc:id:giai:4000001.333"),
    ("EQ_SENSORMETADATA_deviceID", "urn:epc:id:giai:4000001.111", "urn:epc:id:giai:4000001.222"),
    ("EQ_SENSORREPORT_deviceID", "urn:epc:id:giai:4000001.222", "urn:epc:id:giai:4000001.111"),
    ("EQ_deviceMetadata", "https://d.example/1", "https://d.example/2"),
    ("EQ_rawData", "https://raw.example/1", "https://raw.example/2"),
    ("EQ_dataProcessingMethod", "https://m.example/1", "https://m.example/2"),
    ("EQ_bizRules", "https://r.example/1", "https://r.example/2"),
    ("EQ_microorganism", "https://t.example/1", "https://t.example/2"),
    ("EQ_chemicalSubstance", "https://c.example/1", "https://c.example/2"),
    ("EQ_coordinateReferenceSystem", "https://crs.example/1", "https://crs.example/2"),
    ("EQ_stringValue", "s|t", "t"),
    ("EQ_booleanValue", "true", "false"),
    ("EQ_hexBinaryValue", "f0", "f1"),
    ("EQ_hexBinaryValue", "F0", "F1"),
    ("EQ_uriValue", "https://u.example/1", "https://u.example/2"),
    ("EQ_e:tags", "blue|green", "blue"),
    ("EQ_e:price", "12.5", "12.51"),
    ("GE_e:price", "12.5", "12.6"),
    ("GT_e:price", "12.4", "12.5"),
    ("LT_e:price", "12.6", "12.5"),
    ("LE_e:price", "12.5", "12.4"),
    ("EQ_https://e.example/#price", "12.50", "1"),
    ("EQ_https://e.example/price", "12.50", "1"),
    ("EQ_ILMD_e:lot", "L1", "L2"),
    ("EQ_ILMD_cbvmda:lotNumber", "M1", "M2"),
    ("EQ_ILMD_urn:epcglobal:cbv:mda#lotNumber", "M1", "M2"),
    ("EQ_ILMD_urn:epcglobal:cbv:mda:lotNumber", "M1", "M2"),
    ("GE_ILMD_e:best", "2024-06-01T00:00:00Z", "2024-06-01T00:00:01Z"),
    ("EQ_INNER_ILMD_e:grade", "B", "C"),
    ("EQ_INNER_e:score", "3", "4"),
    ("GE_INNER_e:score", "3", "4"),
    ("EQ_ERROR_DECLARATION_e:why", "typo", "other"),
    ("EQ_INNER_ERROR_DECLARATION_e:who", "甲", "乙"),
    ("EQ_readPoint_e:shelf", "7", "8"),
    ("EQ_INNER_readPoint_e:row", "B", "C"),
    ("EQ_bizLocation_e:shelf", "8", "7"),
    ("LT_bizLocation_e:shelf", "9", "8"),
    ("EQ_SENSORMETADATA_e:meta", "m", "n"),
    ("EQ_SENSORREPORT_e:note", "n", "m"),
    ("EQ_INNER_SENSORELEMENT_e:kind", "k", "l"),
    ("HASATTR_e:price", "unit|other", "other"),
    ("HASATTR_e:price", "e:kind", "e:other"),
    ("EQATTR_e:price_unit", "CNY", "EUR"),
    ("EQATTR_e:price_e:kind", "net", "gross"),
    ("EQ_ATTR_e:price_unit", "CNY", "EUR"),
    ("EQ_INNER_e:inside", "3|4", "4"),
    ("LE_percRank", "50", "49"),
    ("LT_value_CEL", "26.01", "26"),
];

#[test]
fn every_parameter_finds_and_leaves_out() {
    for (parameter, finds, leaves_out) in CASES {
        if parameter == "EQ_INNER_e:inside" {
            // An object has no value of its own.
            assert!(!holds(parameter, finds));
        } else {
            assert!(holds(parameter, finds), "{parameter}={finds}");
        }
        assert!(!holds(parameter, leaves_out), "{parameter}={leaves_out}");
    }
}

#[test]
fn existence_is_asked_without_a_value() {
    for (there, absent) in [
        ("EXISTS_errorDeclaration", "EXISTS_e:nothing"),
        ("EXISTS_sensorElementList", "EXISTS_ILMD_e:nothing"),
        ("EXISTS_e:price", "EXISTS_INNER_e:price"),
        ("EXISTS_INNER_e:inside", "EXISTS_e:inside"),
        ("EXISTS_ILMD_e:lot", "EXISTS_INNER_ILMD_e:lot"),
        ("EXISTS_INNER_ILMD_e:grade", "EXISTS_ILMD_e:grade"),
        ("EXISTS_ERROR_DECLARATION_e:why", "EXISTS_ERROR_DECLARATION_e:who"),
        ("EXISTS_SENSORELEMENT_e:probe", "EXISTS_SENSORELEMENT_e:kind"),
        ("EXISTS_SENSORMETADATA_e:meta", "EXISTS_SENSORREPORT_e:meta"),
        ("EXISTS_SENSORREPORT_e:note", "EXISTS_SENSORMETADATA_e:note"),
    ] {
        assert!(holds(there, ""), "{there}");
        assert!(holds(there, "true"), "{there}");
        assert!(!holds(absent, "null"), "{absent}");
        assert!(holds(absent, "false"), "as if it were not there: {absent}");
        assert_eq!(parse(absent, "false").unwrap(), Query::default());
    }
    assert_eq!(
        parse("EXISTS_sensorElement", "").unwrap(),
        parse("EXISTS_sensorElementList", "").unwrap()
    );
    for (parameter, value) in [
        ("EXISTS_e:price", "yes"),
        ("EXISTS_e:price", "TRUE"),
        ("EXISTS_e:price", "true|false"),
        ("EXISTS_nothing", "false"),
        ("EXISTS_zz:nothing", "false"),
    ] {
        assert!(parse(parameter, value).is_err(), "{parameter}={value}");
    }
}

#[test]
fn a_pattern_is_one_of_the_tag_data_standard() {
    for sound in [
        "sgtin:4012345.011111.*",
        "sgtin:4012345.011111.A.1*",
        "sgtin:4012345.*.*",
        "sgtin:*.*.*",
        "sscc:*.*",
        "sscc:4012345.0000000001",
        "sgln:401234512345..*",
        "giai:4012345.A.b",
        "itip:4012345.*.*.*.*",
        "itip:4012345.011111.01.02.*",
        "sgcn:4012345.67890.04711",
        "cpi:4012345.AB%2F1.*",
        "gid:*.*.*",
    ] {
        assert!(parse("MATCH_anyEPC", &format!("urn:epc:idpat:{sound}")).is_ok(), "{sound}");
    }
    for wrong in [
        "sgtin:*.*.A-1",
        "sgtin:*.011111.*",
        "sgtin:4012345.*.A",
        "sgtin:4012345.*",
        "sgtin:4012345.0111*.*",
        "sgtin:4012345..*",
        "sgtin:4012345.011111.",
        "sgtin:",
        "sgtin",
        "sgtin:4012345a.*.*",
        "sscc:4012345.*.*",
        "sscc:4012345.",
        "sgcn:4012345.67890.A",
        "itip:4012345.*.*",
        "foo:*",
        "gid:*.1.*",
        "",
    ] {
        let faults = parse("MATCH_epc", &format!("urn:epc:id:sscc:1.2|urn:epc:idpat:{wrong}"));
        assert_eq!(faults.unwrap_err()[0].pointer, "/MATCH_epc", "{wrong}");
    }
}

#[test]
fn other_kinds_of_event_have_their_own_fields() {
    let times = r#""eventTime":"2024-05-01T08:00:00+08:00","eventTimeZoneOffset":"+08:00""#;
    let transformed = event(&format!(
        r#"{{"type":"TransformationEvent",{times},"transformationID":"urn:epc:id:gdti:4012345.00009.T1",
        "inputEPCList":["urn:epc:id:sscc:4012345.0000000111"],"outputEPCList":["urn:o:1"],
        "inputQuantityList":[{{"epcClass":"urn:i:c"}}],
        "outputQuantityList":[{{"epcClass":"urn:o:c","quantity":3}}]}}"#
    ));
    let joined = event(&format!(
        r#"{{"type":"AssociationEvent",{times},"action":"ADD","parentID":"urn:p:1",
        "childEPCs":["urn:c:1"],"childQuantityList":[{{"epcClass":"urn:c:c"}}]}}"#
    ));
    let own = event(&format!(r#"{{"type":"e:Own",{times}}}"#));
    for (of, parameter, value) in [
        (&transformed, "EQ_transformationID", "urn:epc:id:gdti:4012345.00009.T1"),
        (&transformed, "EQ_transformationID", "https://example.com/253/4012345000092T1"),
        (&transformed, "MATCH_inputEPC", "urn:epc:idpat:sscc:4012345.*"),
        (&transformed, "MATCH_outputEPC", "urn:o:1"),
        (&transformed, "MATCH_anyEPC", "urn:o:1"),
        (&transformed, "MATCH_inputEPCClass", "urn:i:c"),
        (&transformed, "MATCH_outputEPCClass", "urn:o:c"),
        (&transformed, "MATCH_anyEPCClass", "urn:i:c"),
        (&transformed, "EQ_quantity", "3"),
        (&joined, "MATCH_parentID", "urn:p:1"),
        (&joined, "MATCH_anyEPC", "urn:p:1"),
        (&joined, "MATCH_epc", "urn:c:1"),
        (&joined, "MATCH_epcClass", "urn:c:c"),
        (&own, "eventType", "https://e.example/Own"),
        (&own, "eventType", "e:Own"),
    ] {
        let query = parse(parameter, value).unwrap();
        for event in [&transformed, &joined, &own] {
            assert_eq!(matches(&query, event), std::ptr::eq(event, of), "{parameter} {value}");
        }
    }
}

#[test]
fn descendants_come_from_master_data() {
    struct Yard;
    impl Places for Yard {
        fn lies_in(&self, _: PlaceField, place: &str, ancestor: &str) -> bool {
            place.ends_with("00005.0") && ancestor == "urn:yard:1"
        }

        fn has_attribute(
            &self,
            field: MasterField,
            id: &str,
            names: &[String],
            values: Option<&[String]>,
        ) -> bool {
            let here = field == MasterField::ReadPoint && id.ends_with("00005.0");
            here && names.iter().any(|name| name == "urn:epcglobal:cbv:mda#city")
                && values.is_none_or(|values| values.iter().any(|value| value == "示例市"))
        }
    }
    let within = parse("WD_readPoint", "urn:yard:1").unwrap();
    assert!(matches_within(&within, &rich(), &Yard));
    assert!(!matches(&within, &rich()));
    for (parameter, value, found) in [
        ("HASATTR_readPoint", "cbvmda:city", true),
        ("HASATTR_readPoint", "e:other|urn:epcglobal:cbv:mda#city", true),
        ("HASATTR_readPoint", "e:other", false),
        ("HASATTR_bizLocation", "cbvmda:city", false),
        ("EQATTR_readPoint_cbvmda:city", "别处|示例市", true),
        ("EQATTR_readPoint_cbvmda:city", "别处", false),
    ] {
        let query = parse(parameter, value).unwrap();
        assert_eq!(matches_within(&query, &rich(), &Yard), found, "{parameter}={value}");
        assert!(!matches(&query, &rich()), "nothing is known without master data");
    }
    assert!(parse("EQATTR_readPoint_", "x").is_err() && parse("HASATTR_bizStep", "zz:a").is_err());
    let exactly = parse("EQ_readPoint", "urn:yard:1").unwrap();
    assert!(!matches_within(&exactly, &rich(), &Yard));
}

#[test]
fn inner_fields_of_the_event_are_those_of_its_own_extensions() {
    assert!(holds("EQ_INNER_readPoint_e:row", "B"));
    for parameter in ["EQ_INNER_e:row", "EQ_INNER_e:grade", "EQ_INNER_e:kind", "EQ_e:row"] {
        assert!(!holds(parameter, "B|k"), "{parameter}");
    }
}

#[test]
fn conditions_add_up_and_none_takes_all() {
    let both = [("EQ_action", "ADD"), ("EQ_bizStep", "shipping")];
    assert!(!matches(&Query::parse(both, &context()).unwrap(), &rich()));
    assert!(matches(&Query::default(), &rich()));
}

#[test]
fn what_is_unknown_or_wrong_is_told_by_name() {
    for (parameter, value) in [
        ("EQ_nothing", "1"),
        ("eventtime", "1"),
        ("FOO_bizStep", "packing"),
        ("MATCH_what", "urn:a:b"),
        ("WD_bizStep", "urn:a:b"),
        ("EQ_bizStep", "drying"),
        ("GE_bizStep", "packing"),
        ("EQ_eventTime", "2024-05-01T00:00:00Z"),
        ("EQ_time", "2024-05-01T00:00:00Z"),
        ("EQ_startTime", "2024-05-01T00:00:00Z"),
        ("EQ_SENSORREPORT_time", "2024-05-01T00:30:00Z"),
        ("GE_eventTime", "today"),
        ("GE_eventTime", "2024-05-01T00:00:00Z|2024-05-02T00:00:00Z"),
        ("EQ_action", "SEE"),
        ("GE_value_celsius", "1"),
        ("GE_value_CEL", "warm"),
        ("GE_value_CEL", "1|2"),
        ("GE_percRank_CEL", "1"),
        ("EQ_booleanValue", "yes"),
        ("EQ_readPoint", "here"),
        ("EQ_bizTransaction_cheque", "urn:a:b"),
        ("EQ_unknown:field", "1"),
        ("GE_e:price", "dear"),
        ("orderBy", "colour"),
        ("orderDirection", "UP"),
        ("perPage", "0"),
        ("perPage", "-1"),
        ("eventCountLimit", "-1"),
        ("maxEventCount", "many"),
        ("eventType", "Event"),
        ("", ""),
        ("EQATTR_e:price", "x"),
        ("EXISTS_", ""),
        ("EQ_", "x"),
        ("EQ_INNER_", "x"),
    ] {
        let faults = parse(parameter, value).unwrap_err();
        let wanted = if parameter.is_empty() { String::new() } else { format!("/{parameter}") };
        assert_eq!(faults[0].pointer, wanted, "{parameter}={value}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for pair in [
        [("eventCountLimit", "1"), ("maxEventCount", "1")],
        [("EQ_action", "ADD"), ("EQ_action", "DELETE")],
    ] {
        assert_eq!(Query::parse(pair, &context()).unwrap_err().len(), 1, "{pair:?}");
    }
    let many = vec![("EQ_action", "ADD"); 101];
    assert!(Query::parse(many, &context()).is_err());
}

/// Each parameter is sound by itself (EPCIS 2.0 §8.2.6 names no other fault), and no event fulfils
/// both.
#[test]
fn bounds_that_leave_nothing_between_find_nothing() {
    for field in ["eventTime", "recordTime", "errorDeclarationTime"] {
        let (from, to) = (format!("GE_{field}"), format!("LT_{field}"));
        for [early, late] in [["2024-05-01", "2024-05-01"], ["2024-04-01", "2024-06-01"]] {
            let [early, late] = [early, late].map(|day| format!("{day}T00:00:00Z"));
            let query = Query::parse([(&*from, &*late), (&*to, &*early)], &context()).unwrap();
            assert!(!matches(&query, &rich()), "{field}");
        }
    }
}

#[test]
fn order_and_pages_are_read() {
    let parameters = [
        ("orderBy", "recordTime"),
        ("orderDirection", "ASC"),
        ("perPage", "30"),
        ("eventCountLimit", "7"),
        ("nextPageToken", "abc"),
    ];
    let query = Query::parse(parameters, &context()).unwrap();
    assert_eq!(query.order_by, Some(OrderBy::RecordTime));
    assert_eq!(query.direction, Direction::Ascending);
    assert_eq!((query.per_page, query.event_count_limit), (Some(30), Some(7)));
    assert_eq!(query.next_page_token.as_deref(), Some("abc"));
    for (asked, given) in [("1000", 1000), ("1001", 1000), ("99999999999999999999999", 1000)] {
        let query = Query::parse([("perPage", asked)], &context()).unwrap();
        assert_eq!(query.per_page, Some(given), "a page is no larger than the largest");
    }
    // Of no order there is no direction either; it is no fault to name one.
    let query = Query::parse([("orderDirection", "ASC"), ("perPage", "1")], &context()).unwrap();
    assert_eq!(query.order_by, None);
    let query = Query::parse([("orderBy", "e:price"), ("maxEventCount", "9")], &context()).unwrap();
    assert!(matches!(query.order_by, Some(OrderBy::Field(_))));
    assert_eq!((query.max_event_count, query.direction), (Some(9), Direction::Descending));
}

#[test]
fn the_json_form_says_the_same() {
    let text = r#"{"@context":[{"f":"https://e.example/"}],"eventType":["ObjectEvent"],
        "EQ_bizStep":["packing","shipping"],"GE_value_CEL":25.5,"EXISTS_f:price":null,
        "EQ_booleanValue":true}"#;
    let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let query = Query::from_json(&json, &Context::default()).unwrap();
    assert_eq!(query.conditions.len(), 5);
    assert!(matches(&query, &rich()));
    let url = [
        ("eventType", "ObjectEvent"),
        ("EQ_bizStep", "packing|shipping"),
        ("GE_value_CEL", "25.5"),
        ("EXISTS_e:price", ""),
        ("EQ_booleanValue", "true"),
    ];
    assert_eq!(Query::parse(url, &context()).unwrap(), query);
    let bad = Json::parse(br#"{"EQ_bizStep":{},"EQ_x":1}"#, &Limits::default()).unwrap();
    assert_eq!(Query::from_json(&bad, &context()).unwrap_err().len(), 2);
    assert!(matches!(&query.conditions[0], Condition::EventType(kinds) if kinds.len() == 1));
}

#[test]
fn what_need_not_be_there_is_not_asked_for() {
    let plain = event(
        r#"{"type":"ObjectEvent","eventTime":"2024-05-01T08:00:00Z","eventTimeZoneOffset":"+00:00",
        "action":"ADD","epcList":["urn:a:b"]}"#,
    );
    for name in ["EXISTS_errorDeclaration", "EXISTS_sensorElement", "EXISTS_e:price"] {
        let query = parse(name, "false").unwrap();
        assert!(matches(&query, &plain) && matches(&query, &rich()), "{name}");
        assert!(!matches(&parse(name, "true").unwrap(), &plain), "{name}");
    }
    for wrong in ["EXISTS_undeclared:x", "EXISTS_action:x"] {
        assert!(parse(wrong, "false").is_err(), "{wrong}");
    }
    // A number without a unit is any such number, of readings as of amounts.
    for (name, value) in [("EQ_value", "26"), ("GT_sDev", "0.05"), ("LE_percValue", "12.7")] {
        assert!(holds(name, value), "{name}");
    }
}
