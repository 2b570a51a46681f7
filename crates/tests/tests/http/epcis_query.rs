//! G-8-2: what is asked of EPCIS events is answered as the standard's own semantics say.

use std::sync::Arc;

use serde_json::{Value, json};
use yj_epcis::{Document, Event, Limits, Query, matches};

use crate::{
    epcis::{CONTEXT, capture, document, events, job, observed, query},
    harness::{Answer, TestApp},
};

/// A small generator, so that one number stands for one event (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn thing(&mut self) -> String {
        let number = self.roll(12);
        match self.roll(4) {
            0 => format!("urn:epc:id:sgtin:4012345.011111.A{number}"),
            1 => format!("https://id.gs1.org/01/04012345111118/21/A{number}"),
            2 => format!("https://example.com/01/04012345111118/21/A{number}?a=1"),
            _ => format!("urn:example:thing:{number}"),
        }
    }

    pub fn event(&mut self, number: usize) -> Value {
        let kind = self.pick(&[
            "ObjectEvent",
            "AggregationEvent",
            "TransactionEvent",
            "TransformationEvent",
            "AssociationEvent",
            "ex:OwnEvent",
        ]);
        let mut event = json!({
            "type": kind, "eventTimeZoneOffset": "+08:00",
            "eventTime": format!("2026-11-{:02}T{:02}:00:00+08:00", 1 + self.roll(9), self.roll(24)),
            "ex:number": number, "ex:grade": self.pick(&["A", "B", "10", "9.5", "2026-11-01T00:00:00Z"]),
        });
        let action = self.pick(&["ADD", "OBSERVE", "DELETE"]);
        let things = |dice: &mut Self| {
            let mut list: Vec<String> = (0..=dice.roll(3)).map(|_| dice.thing()).collect();
            list.sort();
            list.dedup();
            json!(list)
        };
        let amounts = |dice: &mut Self| {
            json!([{
                "epcClass": format!("urn:epc:class:lgtin:4012345.011111.L{}", dice.roll(4)),
                "quantity": 1 + dice.roll(40), "uom": dice.pick(&["KGM", "GRM"]),
            }])
        };
        match kind {
            "ObjectEvent" => {
                event["action"] = json!(action);
                event["epcList"] = things(self);
                event["quantityList"] = amounts(self);
                if action == "ADD" {
                    event["ilmd"] = json!({ "ex:origin": self.pick(&["x", "y"]), "ex:deep": { "ex:inner": self.roll(5) } });
                }
            }
            "AggregationEvent" | "AssociationEvent" => {
                event["action"] = json!(action);
                event["parentID"] = json!(self.thing());
                event["childEPCs"] = things(self);
            }
            "TransactionEvent" => {
                event["action"] = json!(action);
                event["epcList"] = things(self);
            }
            "TransformationEvent" => {
                event["inputEPCList"] = things(self);
                event["outputEPCList"] = things(self);
                event["inputQuantityList"] = amounts(self);
                event["transformationID"] = json!(format!("urn:example:t:{}", self.roll(3)));
            }
            _ => {}
        }
        if kind == "TransactionEvent" || self.roll(3) == 0 {
            event["bizTransactionList"] = json!([{ "type": self.pick(&["po", "inv"]), "bizTransaction": format!("urn:example:po:{}", self.roll(4)) }]);
        }
        if self.roll(2) == 0 {
            event["bizStep"] = json!(self.pick(&[
                "shipping",
                "https://ref.gs1.org/cbv/BizStep-shipping",
                "receiving",
                "https://example.com/step/own"
            ]));
            event["disposition"] = json!(self.pick(&["in_transit", "damaged"]));
        }
        if self.roll(2) == 0 {
            event["readPoint"] = json!({ "id": self.pick(&["urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054", "urn:example:door"]) });
            event["bizLocation"] = json!({ "id": self.pick(&["urn:epc:id:sgln:4012345.00005.0", "urn:example:hall"]), "ex:floor": self.roll(3) });
        }
        if self.roll(2) == 0 {
            event["sourceList"] = json!([{ "type": "owning_party", "source": format!("urn:example:party:{}", self.roll(3)) }]);
            event["destinationList"] =
                json!([{ "type": "location", "destination": "urn:example:hall" }]);
            event["sensorElementList"] = json!([{
                "sensorMetadata": { "time": "2026-11-02T00:00:00Z", "deviceID": format!("urn:example:device:{}", self.roll(3)) },
                "sensorReport": [{ "type": "Temperature", "value": self.roll(30), "uom": self.pick(&["CEL", "FAH"]), "booleanValue": self.roll(2) == 0 }],
            }]);
            event["persistentDisposition"] = json!({ "set": ["damaged"] });
        }
        if self.roll(6) == 0 {
            event["errorDeclaration"] = json!({ "declarationTime": "2026-11-12T00:00:00Z", "reason": "incorrect_data", "correctiveEventIDs": ["urn:example:fix"] });
        }
        if self.roll(2) == 0 {
            event["eventID"] = json!(format!("urn:example:event:{number}"));
        }
        event
    }
}

const QUERIES: &[&str] = &[
    "",
    "eventType=ObjectEvent",
    "eventType=TransformationEvent|AssociationEvent",
    "eventType=https://example.com/ns/OwnEvent",
    "eventType=ex:OwnEvent|ObjectEvent",
    "GE_eventTime=2026-11-03T08:00:00%2B08:00&LT_eventTime=2026-11-06T00:00:00Z",
    "GE_recordTime=2026-11-19T04:00:00Z",
    "LT_recordTime=2026-11-19T04:00:00Z",
    "EQ_action=ADD|DELETE",
    "EQ_bizStep=shipping",
    "EQ_bizStep=urn:epcglobal:cbv:bizstep:shipping|https://example.com/step/own",
    "EQ_disposition=damaged",
    "EQ_persistentDisposition_set=damaged",
    "EQ_persistentDisposition_unset=damaged",
    "EQ_readPoint=urn:epc:id:sgln:4012345.00005.0",
    "WD_readPoint=https://id.gs1.org/414/4012345000054",
    "EQ_bizLocation=urn:example:hall|urn:example:nowhere",
    "WD_bizLocation=urn:epc:id:sgln:4012345.00005.0",
    "EQ_bizTransaction_po=urn:example:po:1|urn:example:po:2",
    "EQ_source_owning_party=urn:example:party:1",
    "EQ_destination_location=urn:example:hall",
    "EQ_transformationID=urn:example:t:1",
    "EQ_eventID=urn:example:event:7|urn:example:event:8|urn:example:event:9",
    "EQ_correctiveEventID=urn:example:fix",
    "MATCH_epc=urn:epc:id:sgtin:4012345.011111.A3",
    "MATCH_epc=https://id.gs1.org/01/04012345111118/21/A4|urn:example:thing:5",
    "MATCH_epc=urn:epc:idpat:sgtin:4012345.*.*",
    "MATCH_anyEPC=urn:epc:idpat:sgtin:4012345.011111.A5",
    "MATCH_anyEPC=urn:epc:id:sgtin:4012345.011111.A6",
    "MATCH_parentID=https://example.com/01/04012345111118/21/A1",
    "MATCH_inputEPC=urn:example:thing:1|urn:example:thing:2|urn:example:thing:3|urn:example:thing:4",
    "MATCH_outputEPC=urn:example:thing:1|urn:example:thing:2",
    "MATCH_epcClass=urn:epc:class:lgtin:4012345.011111.L1",
    "MATCH_inputEPCClass=urn:epc:class:lgtin:4012345.011111.L2",
    "MATCH_anyEPCClass=https://id.gs1.org/01/04012345111118/10/L3",
    "MATCH_outputEPCClass=urn:epc:class:lgtin:4012345.011111.L3",
    "GE_quantity_KGM=0.02",
    "LT_quantity_GRM=20",
    "EQ_quantity=7",
    "EQ_type=Temperature",
    "GT_value_CEL=10",
    "LE_value_FAH=50",
    "EQ_booleanValue=true",
    "EQ_deviceID=urn:example:device:1",
    "EQ_SENSORMETADATA_deviceID=urn:example:device:2",
    "GE_SENSORMETADATA_time=2026-11-02T00:00:00Z",
    "EXISTS_errorDeclaration=",
    "EQ_errorReason=incorrect_data",
    "GE_errorDeclarationTime=2026-11-12T00:00:00Z",
    "EXISTS_sensorElementList=",
    "EQ_ex:grade=A|10",
    "GT_ex:number=150",
    "GE_ex:grade=9.5",
    "EXISTS_ex:number=",
    "EQ_ILMD_ex:origin=x",
    "EXISTS_INNER_ILMD_ex:inner=",
    "EQ_INNER_ILMD_ex:inner=3",
    "EQ_bizLocation_ex:floor=1",
    "EQ_https://example.com/ns/grade=B",
    "EQ_bizStep=shipping&EQ_action=OBSERVE&GE_eventTime=2026-11-02T00:00:00Z",
    "eventType=ObjectEvent&MATCH_epc=urn:epc:idpat:sgtin:4012345.011111.*&EQ_ILMD_ex:origin=y",
];

const EXTENSIONS: [(&str, &str); 1] = [("gs1-extensions", "ex=https://example.com/ns/")];

/// Where the next page is, if there is one.
pub fn page_after(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    assert!(link.ends_with("; rel=\"next\""), "{link}");
    Some(String::from(&link[1..link.find('>').unwrap()]))
}

async fn pages(app: &TestApp, user: &str, first: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut next) = (Vec::new(), Some(String::from(first)));
    while let Some(path) = next {
        let answer = app.send("GET", &path, Some(user), &EXTENSIONS, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        pages.push(events(&answer.body).clone());
        assert_eq!(
            answer.headers.contains_key("link"),
            answer.headers.contains_key("gs1-next-page-token-expires")
        );
        next = page_after(&answer);
        assert!(pages.len() < 1000);
    }
    pages
}

/// Every event within reach, in the order of recording.
pub async fn known(app: &TestApp, user: &str) -> Vec<Event> {
    let mut known = Vec::new();
    let mut next = Some(String::from("/epcis/v2/events?perPage=1000"));
    while let Some(path) = next {
        let answer = app.send("GET", &path, Some(user), &EXTENSIONS, None).await;
        let document = Document::parse(&answer.bytes, &Limits::default()).unwrap();
        known.extend(
            document.events().iter().map(|event| {
                Event::new(event.clone(), &Arc::clone(document.context()), 5).unwrap()
            }),
        );
        next = page_after(&answer);
    }
    known
}

/// The naive answer: every event, looked at by the library and put in order.
pub fn naive(known: &[Event], context: &yj_epcis::Context, text: &str) -> Vec<String> {
    let decoded: Vec<(String, String)> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (String::from(name), value.replace("%2B", "+"))
        })
        .collect();
    let parameters = decoded.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let parsed =
        Query::parse(parameters, context).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    let mut wanted: Vec<&Event> = known.iter().filter(|event| matches(&parsed, event)).collect();
    // Who asks for a time and for no order is answered in the order of time.
    let by_time = text.contains("orderBy=eventTime")
        || !text.contains("orderBy") && text.contains("_eventTime");
    if by_time {
        wanted.sort_by_key(|event| event.event_time.0);
    }
    if text.contains("orderBy") && !text.contains("orderDirection=ASC") {
        wanted.reverse();
    }
    wanted.iter().map(|event| event.event_id.clone().unwrap()).collect()
}

/// The names of what a query finds, over all pages.
pub async fn named(app: &TestApp, user: &str, (text, per_page): (&str, u64)) -> Vec<String> {
    let path = format!("/epcis/v2/events?perPage={per_page}&{text}");
    let found = pages(app, user, &path).await;
    let name = |event: &Value| String::from(event["eventID"].as_str().unwrap());
    found.iter().flatten().map(name).collect()
}

#[tokio::test]
async fn g_8_2_every_query_is_answered_as_the_reference_answers_it() {
    let app = TestApp::start().await;
    let mut dice = Dice(7);
    let all: Vec<Value> = (0..320).map(|number| dice.event(number)).collect();
    let done =
        job(&app, "enterprise", &capture(&app, "enterprise", &document(&all), "rollback").await)
            .await;
    assert_eq!(
        done["captured"].as_i64().unwrap() + done["duplicates"].as_i64().unwrap(),
        320,
        "{done}"
    );
    let known = known(&app, "enterprise").await;
    assert_eq!(known.len(), usize::try_from(done["captured"].as_i64().unwrap()).unwrap());
    let mut context = yj_epcis::Context::default();
    context.declare("ex", "https://example.com/ns/");
    let mut silent = Vec::new();
    for text in QUERIES {
        let wanted = naive(&known, &context, text);
        if wanted.is_empty() {
            silent.push(*text);
        }
        assert_eq!(named(&app, "enterprise", (text, 90)).await, wanted, "{text}");
    }
    assert!(silent.len() <= 4, "these find nothing: {silent:?}");
    // The same query in the body of a named one.
    for (number, query) in [
        json!({ "eventType": ["ObjectEvent"], "MATCH_epc": ["urn:example:thing:2"] }),
        json!({ "@context": { "ex": "https://example.com/ns/" }, "GT_ex:number": 150 }),
        json!({ "EXISTS_errorDeclaration": null, "GE_eventTime": "2026-11-02T00:00:00Z" }),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("named-{number}");
        app.post("enterprise", "/epcis/v2/queries", json!({ "name": name, "query": query }))
            .await
            .expect(201);
        let json = yj_epcis::Json::parse(query.to_string().as_bytes(), &Limits::default()).unwrap();
        let parsed = Query::from_json(&json, &context).unwrap();
        let wanted = known.iter().filter(|event| matches(&parsed, event)).count();
        let found =
            pages(&app, "enterprise", &format!("/epcis/v2/queries/{name}/events?perPage=50")).await;
        assert_eq!(found.iter().flatten().count(), wanted, "{query}");
        assert!(wanted > 0, "{query}");
    }
}

#[tokio::test]
async fn g_8_2_pages_are_of_one_state_in_the_order_asked_for() {
    let app = TestApp::start().await;
    let event = |number: usize| {
        let mut event = observed(&format!("urn:example:{number:03}"), "urn:example:thing");
        event["eventTime"] = json!(format!("2026-11-{:02}T08:00:00+08:00", 1 + number * 7 % 9));
        event["ex:rank"] = json!(number * 37 % 50);
        event
    };
    let all: Vec<Value> = (0..50).map(event).collect();
    capture(&app, "enterprise", &document(&all), "rollback").await.expect(202);
    let order = async |text: &str| -> Vec<String> {
        let pages = pages(&app, "enterprise", &format!("/epcis/v2/events?perPage=7&{text}")).await;
        assert!(pages.iter().all(|page| page.len() <= 7));
        let found: Vec<Value> = pages.into_iter().flatten().collect();
        found
            .iter()
            .map(|event| {
                format!(
                    "{} {} {}",
                    event["eventTime"].as_str().unwrap(),
                    event["ex:rank"],
                    event["eventID"]
                )
            })
            .collect()
    };
    let ascending = order("orderBy=eventTime&orderDirection=ASC").await;
    assert_eq!(ascending.len(), 50);
    assert!(ascending.is_sorted_by_key(|text| text[..10].to_owned()));
    let mut descending = order("orderBy=eventTime").await;
    descending.reverse();
    assert_eq!(descending, ascending);
    let ranked = order("orderBy=ex:rank&orderDirection=ASC").await;
    let rank = |text: &String| text.split(' ').nth(1).unwrap().parse::<i64>().unwrap();
    assert!(ranked.len() == 50 && ranked.is_sorted_by_key(rank), "{ranked:?}");
    assert_eq!(order("orderBy=eventTime&eventCountLimit=20").await.len(), 20);
    assert_eq!(order("orderBy=recordTime&eventCountLimit=9").await.len(), 9);
    // What comes meanwhile is on no later page.
    let answer = app.get("enterprise", "/epcis/v2/events?perPage=30&orderBy=eventTime").await;
    let link = answer.headers["link"].to_str().unwrap();
    let next = String::from(&link[1..link.find('>').unwrap()]);
    let mut late = event(99);
    late["eventTime"] = json!("2026-11-01T00:00:00+08:00");
    capture(&app, "enterprise", &document(&[late]), "rollback").await.expect(202);
    let second = app.get("enterprise", &next).await;
    assert_eq!(events(&second.body).len(), 20);
    assert!(!second.headers.contains_key("link"));
    // A token belongs to its query, and ends.
    let token = next.split("nextPageToken=").nth(1).unwrap();
    for wrong in
        [format!("eventType=ObjectEvent&nextPageToken={token}"), String::from("nextPageToken=x")]
    {
        let refused = app.get("enterprise", &format!("/epcis/v2/events?{wrong}")).await.expect(400);
        assert_eq!(refused["type"], "epcisException:QueryParameterException");
    }
    let refused = app.get("enterprise", "/epcis/v2/events?maxEventCount=10").await.expect(413);
    assert_eq!(refused["type"], "epcisException:QueryTooLargeException");
    assert_eq!(query(&app, "enterprise", "maxEventCount=51&perPage=5").await.len(), 5);
    let nothing_between = "GE_eventTime=2026-11-06T00:00:00Z&LT_eventTime=2026-11-03T00:00:00Z";
    assert_eq!(query(&app, "enterprise", nothing_between).await.len(), 0);
    assert_eq!(
        query(&app, "enterprise", &format!("orderBy=eventTime&{nothing_between}")).await.len(),
        0
    );
    for wrong in [
        "perPage=0",
        "EQ_nothing=1",
        "GE_eventTime=gestern",
        "eventType=Unknown",
        "MATCH_epc=x%00y",
        "EQ_zz:x=1",
    ] {
        let refused = app.get("enterprise", &format!("/epcis/v2/events?{wrong}")).await.expect(400);
        assert_eq!(refused["type"], "epcisException:QueryParameterException", "{wrong}");
    }
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[4] = "1";
    let ended = next.replace(token, &parts.join("."));
    assert_eq!(app.get("enterprise", &ended).await.status, 400, "expired");
}

#[tokio::test]
async fn g_8_2_top_level_resources_lead_to_their_events() {
    let app = TestApp::start().await;
    let mut event = observed("urn:example:1", "urn:epc:id:sgtin:4012345.011111.A1");
    event["readPoint"] = json!({ "id": "urn:epc:id:sgln:4012345.00005.0" });
    event["bizLocation"] = json!({ "id": "urn:example:hall" });
    event["disposition"] = json!("https://example.com/disposition/own");
    let own = json!({
        "type": "ex:OwnEvent", "eventTime": "2026-11-10T08:00:00+08:00", "eventTimeZoneOffset": "+08:00",
    });
    capture(&app, "enterprise", &document(&[event, own]), "rollback").await.expect(202);
    let members = async |path: &str| {
        app.get("enterprise", &format!("/epcis/v2/{path}")).await.expect(200)["member"].clone()
    };
    assert_eq!(members("epcs").await, json!(["urn:epc:id:sgtin:4012345.011111.A1"]));
    assert_eq!(members("bizLocations").await, json!(["urn:example:hall"]));
    assert_eq!(members("readPoints").await, json!(["urn:epc:id:sgln:4012345.00005.0"]));
    assert!(
        members("eventTypes")
            .await
            .as_array()
            .unwrap()
            .contains(&json!("https://example.com/ns/OwnEvent"))
    );
    assert!(members("bizSteps?perPage=100").await.as_array().unwrap().contains(&json!("shipping")));
    assert!(
        members("dispositions?perPage=100")
            .await
            .as_array()
            .unwrap()
            .contains(&json!("https://example.com/disposition/own"))
    );
    let first = app.get("enterprise", "/epcis/v2/bizSteps?perPage=5").await;
    let link = first.headers["link"].to_str().unwrap();
    let second = app.get("enterprise", &link[1..link.find('>').unwrap()]).await.expect(200);
    assert_eq!(second["member"].as_array().unwrap().len(), 5);
    for (path, count) in [
        ("epcs/https%3A%2F%2Fid.gs1.org%2F01%2F04012345111118%2F21%2FA1", 1),
        ("bizSteps/shipping", 1),
        ("bizSteps/urn:epcglobal:cbv:bizstep:shipping", 1),
        ("bizSteps/receiving", 0),
        ("bizLocations/urn:example:hall", 1),
        ("readPoints/urn:epc:id:sgln:4012345.00005.0", 1),
        ("dispositions/https%3A%2F%2Fexample.com%2Fdisposition%2Fown", 1),
        ("eventTypes/ObjectEvent", 1),
        ("eventTypes/AggregationEvent", 0),
        ("eventTypes/https%3A%2F%2Fexample.com%2Fns%2FOwnEvent", 1),
    ] {
        assert_eq!(members(path).await, json!(["events"]), "{path}");
        let found = app
            .get(
                "enterprise",
                &format!("/epcis/v2/{path}/events?GE_eventTime=2026-01-01T00:00:00Z"),
            )
            .await;
        assert_eq!(events(&found.expect(200)).len(), count, "{path}");
    }
    for unknown in [
        "epcs/urn:example:unknown",
        "bizSteps/flying",
        "eventTypes/NoEvent",
        "epcs/a%00b",
        "readPoints/urn:example:hall",
    ] {
        for tail in ["", "/events"] {
            let refused =
                app.get("enterprise", &format!("/epcis/v2/{unknown}{tail}")).await.expect(404);
            assert_eq!(
                refused["type"], "epcisException:NoSuchResourceException",
                "{unknown}{tail}"
            );
        }
    }
    assert_eq!(
        app.get("farm", "/epcis/v2/epcs/urn:epc:id:sgtin:4012345.011111.A1").await.status,
        404
    );
}

#[tokio::test]
async fn g_8_2_queries_are_kept_under_names_of_ones_own() {
    let app = TestApp::start().await;
    let body = json!({ "name": "出库", "query": { "@context": [CONTEXT, { "ex": "https://example.com/ns/" }], "EQ_bizStep": ["shipping"], "EXISTS_ex:no": null } });
    let made = app.post("enterprise", "/epcis/v2/queries", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let place = String::from(made.headers["location"].to_str().unwrap());
    assert_eq!(
        app.get("enterprise", &place).await.expect(200)["query"]["EQ_bizStep"],
        json!(["shipping"])
    );
    let again = app.post("enterprise", "/epcis/v2/queries", body.clone()).await.expect(409);
    assert_eq!(again["type"], "epcisException:ResourceAlreadyExistsException");
    app.post("farm", "/epcis/v2/queries", body).await.expect(201);
    assert_eq!(
        app.get("enterprise", "/epcis/v2/queries").await.expect(200).as_array().unwrap().len(),
        1
    );
    for wrong in [
        json!({ "name": "", "query": {} }),
        json!({ "name": "a/b", "query": {} }),
        json!({ "name": "x" }),
        json!({ "name": "x", "query": { "EQ_nothing": 1 } }),
        json!({ "name": "x", "query": { "EXISTS_zz:no": null } }),
        json!([]),
    ] {
        let refused = app.post("enterprise", "/epcis/v2/queries", wrong.clone()).await.expect(400);
        assert_eq!(refused["type"], "epcisException:ValidationException", "{wrong}");
    }
    let unknown = app.get("enterprise", "/epcis/v2/queries/unknown/events").await.expect(404);
    assert_eq!(unknown["type"], "epcisException:NoSuchNameException");
    assert_eq!(
        app.get("enterprise", &format!("{place}/events?EQ_bizStep=receiving")).await.status,
        400
    );
    assert_eq!(app.send("DELETE", &place, Some("enterprise"), &[], None).await.status, 204);
    assert_eq!(app.get("enterprise", &place).await.status, 404);
}

#[tokio::test]
async fn g_8_2_places_within_others_and_words_in_xml_are_as_asked_for() {
    let app = TestApp::start().await;
    let at = |id: &str, place: &str| {
        let mut event = observed(&format!("urn:example:{id}"), "urn:example:thing");
        event["readPoint"] = json!({ "id": place });
        event["bizLocation"] = json!({ "id": place });
        event
    };
    let sent = document(&[
        at("site", "urn:epc:id:sgln:4012345.00005.0"),
        at("door", "urn:epc:id:sgln:4012345.00005.122"),
        at("shelf", "https://example.com/414/4012345000054/254/shelf-7"),
        at("other", "urn:epc:id:sgln:4012345.00006.122"),
        at("own", "urn:example:hall"),
    ]);
    capture(&app, "enterprise", &sent, "rollback").await.expect(202);
    for (condition, wanted) in [
        ("WD_readPoint=https://id.gs1.org/414/4012345000054", vec!["site", "door", "shelf"]),
        ("WD_bizLocation=urn:epc:id:sgln:4012345.00005.0", vec!["site", "door", "shelf"]),
        ("WD_bizLocation=urn:epc:id:sgln:4012345.00005.122", vec!["door"]),
        ("EQ_bizLocation=urn:epc:id:sgln:4012345.00005.0", vec!["site"]),
        ("WD_readPoint=urn:example:hall|urn:epc:id:sgln:4012345.00006.0", vec!["other", "own"]),
        ("WD_readPoint=urn:example:nowhere", vec![]),
    ] {
        let found = query(&app, "enterprise", condition).await;
        let ids: Vec<_> = found.iter().map(|event| event["eventID"].as_str().unwrap()).collect();
        let wanted: Vec<_> = wanted.iter().map(|id| format!("urn:example:{id}")).collect();
        assert_eq!(ids, wanted, "{condition}");
    }
    let asked = async |words: &str, most: &str| {
        let headers =
            [("accept", "application/xml"), ("gs1-cbv-xml-format", words), ("gs1-epcis-max", most)];
        app.send("GET", "/epcis/v2/events", Some("enterprise"), &headers, None).await
    };
    let (urn, web) =
        ("urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping");
    for (words, most, wanted, said) in [
        ("No_Preference", "2.0", urn, "Always_URN"),
        ("Always_URN", "1.2", urn, "Always_URN"),
        ("Always_Web_URI", "2.0", web, "Always_Web_URI"),
    ] {
        let answer = asked(words, most).await;
        let text = String::from_utf8(answer.bytes.clone()).unwrap();
        assert!(text.contains(&format!("<bizStep>{wanted}</bizStep>")), "{words}: {text}");
        assert_eq!(answer.headers["gs1-cbv-xml-format"], said);
    }
    assert_eq!(asked("Always_Web_URI", "1.2").await.status, 406);
    assert_eq!(asked("Sometimes", "2.0").await.status, 406);
    // What went out as Web URIs is the same event when it comes back.
    let web = asked("Always_Web_URI", "2.0").await.bytes;
    let headers = [("content-type", "application/xml")];
    let again =
        app.send("POST", "/epcis/v2/capture", Some("enterprise"), &headers, Some(web)).await;
    assert_eq!(again.status, 202, "{}", again.body);
    assert_eq!(app.count("SELECT COUNT(*) FROM epcis_event").await, 5);
}
