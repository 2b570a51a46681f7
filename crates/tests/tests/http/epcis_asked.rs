//! G-8-2: questions as clients write them (EPCIS 2.0 §8.2.7.1), and the events that they mean.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, events, observed},
    harness::{Answer, TestApp},
};

const EXTENSIONS: [(&str, &str); 1] = [("gs1-extensions", "ex=https://example.com/ns/")];

async fn ask(app: &TestApp, text: &str) -> Answer {
    let path = format!("/epcis/v2/{text}");
    app.send("GET", &path, Some("enterprise"), &EXTENSIONS, None).await
}

/// The last letters of the names of what is found, in the order of the alphabet.
fn letters(answer: &Answer, about: &str) -> String {
    assert_eq!(answer.status, 200, "{about}: {}", answer.body);
    let name = |event: &Value| event["eventID"].as_str().unwrap().chars().last().unwrap();
    let mut found: Vec<char> = events(&answer.body).iter().map(name).collect();
    found.sort_unstable();
    found.into_iter().collect()
}

/// Events `A` to `F`, each with something of its own.
fn told() -> Vec<Value> {
    let event = |letter: &str, rest: Value| {
        let mut event =
            observed(&format!("urn:example:{letter}"), "urn:epc:id:sgtin:4012345.011111.1");
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    let ilmd = json!({
        "cbvmda:lotNumber": "0012", "ex:best": "2026-12-01T00:00:00+08:00",
        "ex:inner": { "ex:deep": { "ex:grade": ["A", "B"] } },
    });
    vec![
        event("A", json!({ "action": "ADD", "bizStep": "commissioning", "ilmd": ilmd })),
        event(
            "B",
            json!({
                "action": "ADD", "bizStep": "urn:epcglobal:cbv:bizstep:packing",
                "ilmd": { "cbvmda:lotNumber": "12", "ex:grade": "A" },
                "ex:price": { "@type": "xsd:decimal", "@value": "12.50" },
            }),
        ),
        event(
            "C",
            json!({
                "disposition": "https://ref.gs1.org/cbv/Disp-in_transit", "ex:price": 7,
                "persistentDisposition": { "set": ["completeness_verified"], "unset": ["available"] },
                "bizTransactionList": [
                    { "type": "urn:epcglobal:cbv:btt:po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073468:1" },
                    { "type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073468:2" },
                ],
            }),
        ),
        event(
            "D",
            json!({
                "readPoint": { "id": "https://id.gs1.org/414/4012345000054/254/7", "ex:shelf": "x" },
                "bizLocation": { "id": "urn:epc:id:sgln:4012345.00005.0" },
                "sensorElementList": [{ "sensorMetadata": { "time": "2026-11-10T00:00:00Z" }, "sensorReport": [
                    { "type": "Temperature", "value": 4.5, "minValue": 2, "maxValue": 8, "uom": "CEL" },
                    { "type": "RelativeHumidity", "value": 60, "uom": "A93" },
                ] }],
            }),
        ),
        event(
            "E",
            json!({
                "quantityList": [
                    { "epcClass": "urn:epc:class:lgtin:4012345.011111.L1", "quantity": 10 },
                    { "epcClass": "urn:epc:class:lgtin:4012345.011111.L2", "quantity": 2.5, "uom": "KGM" },
                ],
            }),
        ),
        event(
            "F",
            json!({
                "errorDeclaration": {
                    "declarationTime": "2026-11-11T00:00:00Z", "reason": "did_not_occur",
                    "correctiveEventIDs": ["urn:example:A"], "ex:why": "typo",
                },
            }),
        ),
    ]
}

#[tokio::test]
async fn g_8_2_questions_mean_the_events_that_the_standard_says() {
    let app = TestApp::start().await;
    capture(&app, "enterprise", &document(&told()), "rollback").await.expect(202);
    for (text, wanted) in [
        ("EQ_bizStep=packing", "B"),
        ("EQ_bizStep=cbv:BizStep-packing|https://ref.gs1.org/cbv/BizStep-commissioning", "AB"),
        ("EQ_disposition=urn:epcglobal:cbv:disp:in_transit", "C"),
        ("EQ_persistentDisposition_set=cbv:Disp-completeness_verified", "C"),
        ("EQ_persistentDisposition_unset=completeness_verified", ""),
        // The type and the document are of one entry of the list.
        ("EQ_bizTransaction_po=urn:epcglobal:cbv:bt:0614141073468:1", "C"),
        ("EQ_bizTransaction_urn:epcglobal:cbv:btt:inv=urn:epcglobal:cbv:bt:0614141073468:2", "C"),
        (
            "EQ_bizTransaction_https://ref.gs1.org/cbv/BTT-po=urn:epcglobal:cbv:bt:0614141073468:2",
            "",
        ),
        ("EQ_readPoint=urn:epc:id:sgln:4012345.00005.7", "D"),
        ("EQ_readPoint=urn:epc:id:sgln:4012345.00005.0", ""),
        ("WD_readPoint=https://id.gs1.org/414/4012345000054", "D"),
        ("EQ_bizLocation=https://id.gs1.org/414/4012345000054", "D"),
        ("EQ_readPoint_ex:shelf=x|y", "D"),
        ("EQ_type=gs1:Temperature&GE_value_KEL=277.65", "D"),
        ("LT_minValue_CEL=2", ""),
        ("GT_maxValue_FAH=46.3", "D"),
        ("EXISTS_sensorElementList=", "D"),
        ("EQ_quantity=10|11", "E"),
        ("EQ_quantity_GRM=2500", "E"),
        ("GT_quantity_KGM=2.5", ""),
        ("MATCH_anyEPCClass=https://id.gs1.org/01/04012345111118/10/L2", "E"),
        ("MATCH_epc=urn:epc:idpat:sgtin:4012345.*.*&EXISTS_errorDeclaration", "F"),
        ("EQ_errorReason=urn:epcglobal:cbv:er:did_not_occur", "F"),
        ("EQ_correctiveEventID=urn:example:A", "F"),
        ("EQ_ERROR_DECLARATION_ex:why=typo", "F"),
        // A lot is called as it is called: what looks like the same number is another.
        ("EQ_ILMD_cbvmda:lotNumber=0012", "A"),
        ("EQ_ILMD_urn:epcglobal:cbv:mda%23lotNumber=12", "B"),
        ("EQ_ILMD_cbvmda:lotNumber=12|0012", "AB"),
        ("EQ_ILMD_ex:grade=A", "B"),
        ("EQ_INNER_ILMD_ex:grade=B", "A"),
        ("EXISTS_INNER_ILMD_https://example.com/ns/deep", "A"),
        // A value with its type, as JSON-LD may write it.
        ("EQ_ex:price=12.5", "B"),
        ("GE_ex:price=7", "BC"),
        ("LT_https://example.com/ns/price=12.5", "C"),
        // Of an offset that was not escaped the sign is still one.
        ("GE_eventTime=2026-11-10T08:00:00+08:00", "ABCDEF"),
        ("LT_eventTime=2026-11-10T08:00:00+08:00", ""),
        ("GE_errorDeclarationTime=2026-11-11T08:00:00%2B08:00", "F"),
        ("EQ_ILMD_ex:best=2026-11-30T16:00:00Z", "A"),
        ("LE_ILMD_ex:best=2026-12-01T00:00:00+08:00", "A"),
        ("eventType=epcis:ObjectEvent&EQ_action=ADD|DELETE", "AB"),
        ("eventType=https://ref.gs1.org/epcis/AggregationEvent", ""),
        ("orderBy=eventTime&orderDirection=ASC&eventCountLimit=6", "ABCDEF"),
    ] {
        let answer = ask(&app, &format!("events?{text}")).await;
        assert_eq!(letters(&answer, text), wanted, "{text}");
    }
    for (path, wanted) in [
        ("eventTypes/ObjectEvent/events?EQ_action=ADD", "AB"),
        ("epcs/urn:epc:id:sgtin:4012345.011111.1/events?EQ_bizStep=packing", "B"),
        ("bizSteps/packing/events", "B"),
        ("bizSteps/https%3A%2F%2Fref.gs1.org%2Fcbv%2FBizStep-packing/events", "B"),
        ("dispositions/in_transit/events", "C"),
        ("readPoints/urn:epc:id:sgln:4012345.00005.7/events", "D"),
        ("bizLocations/https%3A%2F%2Fid.gs1.org%2F414%2F4012345000054/events", "D"),
    ] {
        assert_eq!(letters(&ask(&app, path).await, path), wanted, "{path}");
    }
}

#[tokio::test]
async fn g_8_2_questions_that_the_standard_refuses_are_refused() {
    let app = TestApp::start().await;
    capture(&app, "enterprise", &document(&told()), "rollback").await.expect(202);
    for wrong in [
        "EQ_bizStep=packing&EQ_bizStep=shipping",
        "EQ_bizStep=",
        "EQ_colour=red",
        "eq_bizStep=packing",
        "EQ_action=add",
        "GE_eventTime=2026-11-10T08:00:00",
        "GT_eventTime=2026-11-10T08:00:00Z",
        "GE_value_CEL=warm",
        "GE_quantity=1|2",
        "MATCH_epc=987",
        "EQ_own:field=1",
        "orderBy=bizStep",
        "orderDirection=up&orderBy=eventTime",
        "perPage=many",
        "maxEventCount=0",
        // Which events are the first is not said.
        "eventCountLimit=3",
        "eventCountLimit=3&maxEventCount=9&orderBy=eventTime",
        "EXISTS_errorDeclaration=no",
    ] {
        let refused = ask(&app, &format!("events?{wrong}")).await.expect(400);
        assert_eq!(refused["type"], "epcisException:QueryParameterException", "{wrong}");
    }
    let unordered = json!({ "name": "头三件", "query": { "eventCountLimit": 3 } });
    let refused = app.post("enterprise", "/epcis/v2/queries", unordered).await.expect(400);
    assert_eq!(refused["errors"][0]["field"], "query.eventCountLimit", "{refused}");
    let ordered =
        json!({ "name": "头三件", "query": { "eventCountLimit": 3, "orderBy": "eventTime" } });
    app.post("enterprise", "/epcis/v2/queries", ordered).await.expect(201);
    let found = ask(&app, "queries/%E5%A4%B4%E4%B8%89%E4%BB%B6/events").await;
    assert_eq!(letters(&found, "named").len(), 3);
    let many = ask(&app, "events?maxEventCount=5").await.expect(413);
    assert_eq!(many["type"], "epcisException:QueryTooLargeException");
}
