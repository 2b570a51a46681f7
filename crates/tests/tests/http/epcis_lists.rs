//! G-8-2: what there is to ask for is told in the spelling asked for, page by page; and what every door
//! of the interface says of itself.

use serde_json::{Value, json};

use crate::{
    epcis::{capture, document, observed},
    harness::{Answer, TestApp},
};

/// Things with a rule for their company prefix, with one that a URN has named, and with none.
const RULED: &str = "https://id.gs1.org/01/06901234567892/21/R1";
const NAMED: &str = "urn:epc:id:sgtin:4012345.011111.A1";
const LINKED: &str = "https://example.com/01/04012345111118/21/A2";
const TWICE: &str = "https://id.gs1.org/01/04012345111118/21/A1";
const OWN: &str = "urn:example:thing";

async fn given(app: &TestApp, things: &[&str]) {
    let events: Vec<Value> = things
        .iter()
        .map(|thing| {
            let mut event = observed(&format!("urn:example:of:{thing}"), thing);
            event["readPoint"] = json!({ "id": "urn:epc:id:sgln:4012345.00005.0" });
            event["bizLocation"] = json!({ "id": "https://id.gs1.org/414/4012345000054" });
            event
        })
        .collect();
    capture(app, "enterprise", &document(&events), "rollback").await.expect(202);
}

async fn asked(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send("GET", &format!("/epcis/v2{path}"), Some("enterprise"), headers, None).await
}

fn members(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["member"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[tokio::test]
async fn g_8_2_lists_tell_identifiers_in_the_spelling_asked_for() {
    let app = TestApp::start().await;
    given(&app, &[RULED, NAMED, LINKED, TWICE, OWN]).await;
    let (linked, a1) = ("urn:epc:id:sgtin:4012345.011111.A2", NAMED);
    for (path, format, said, wanted) in [
        ("/epcs", "Never_Translates", "Never_Translates", vec![LINKED, TWICE, RULED, NAMED, OWN]),
        ("/epcs", "No_Preference", "Never_Translates", vec![LINKED, TWICE, RULED, NAMED, OWN]),
        (
            "/epcs",
            "Always_EPC_URN",
            "Always_EPC_URN",
            vec![linked, a1, "urn:epc:id:sgtin:6901234.056789.R1", OWN],
        ),
        (
            "/epcs",
            "ALWAYS_GS1_DIGITAL_LINK",
            "Always_GS1_Digital_Link",
            vec!["https://id.gs1.org/01/04012345111118/21/A2", TWICE, RULED, OWN],
        ),
        (
            "/readPoints",
            "Always_GS1_Digital_Link",
            "Always_GS1_Digital_Link",
            vec!["https://id.gs1.org/414/4012345000054"],
        ),
        (
            "/bizLocations",
            "Always_EPC_URN",
            "Always_EPC_URN",
            vec!["urn:epc:id:sgln:4012345.00005.0"],
        ),
    ] {
        let answer = asked(&app, path, &[("gs1-epc-format", format)]).await;
        assert_eq!(members(&answer), wanted, "{path} {format}");
        assert_eq!(answer.headers["gs1-epc-format"], said, "{path} {format}");
    }
    // What no rule and no URN says the prefix of stays a link, and that is said.
    given(&app, &["https://id.gs1.org/01/05412345000013/21/X"]).await;
    let answer = asked(&app, "/epcs", &[("gs1-epc-format", "Always_EPC_URN")]).await;
    assert_eq!(answer.headers["gs1-epc-format"], "No_Preference");
    for path in [
        "/epcs",
        "/readPoints",
        "/bizLocations",
        "/bizSteps",
        "/epcs/urn:example:thing",
        "/readPoints/urn:epc:id:sgln:4012345.00005.0",
        "/queries",
    ] {
        for name in ["gs1-epc-format", "gs1-cbv-xml-format"] {
            let answer = asked(&app, path, &[(name, "Sometimes")]).await;
            let found = (answer.status, &answer.body["type"]);
            assert_eq!(
                found,
                (406, &json!("epcisException:NotAcceptableException")),
                "{path} {name}"
            );
        }
    }
    // Words are bare in JSON, whatever is asked of XML.
    let answer =
        asked(&app, "/bizSteps?perPage=99", &[("gs1-cbv-xml-format", "Always_Web_URI")]).await;
    assert!(members(&answer).contains(&"shipping"));
}

#[tokio::test]
async fn g_8_2_a_single_event_comes_back_in_the_spelling_asked_for() {
    let app = TestApp::start().await;
    let mut event = observed("urn:example:1", NAMED);
    event["@context"] = json!(["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]);
    for (format, wanted) in [("Always_GS1_Digital_Link", TWICE), ("Never_Translates", NAMED)] {
        let headers = [("content-type", "application/json"), ("gs1-epc-format", format)];
        let body = Some(event.to_string().into_bytes());
        let answer = app.send("POST", "/epcis/v2/events", Some("enterprise"), &headers, body).await;
        assert_eq!((answer.status, &answer.body["epcList"][0]), (201, &json!(wanted)), "{format}");
        assert_eq!(answer.headers["gs1-epc-format"], format);
    }
}

/// What follows `nextPageToken=` in the link to the next page.
fn token(answer: &Answer) -> String {
    let link = answer.headers["link"].to_str().unwrap();
    let rest = link.split("nextPageToken=").nth(1).unwrap();
    String::from(rest.split('>').next().unwrap())
}

#[tokio::test]
async fn g_8_2_a_token_continues_the_list_that_gave_it_and_no_other() {
    let app = TestApp::start().await;
    given(&app, &[NAMED, LINKED, OWN]).await;
    for number in 0..3 {
        let query = json!({ "name": format!("q{number}"), "query": { "EQ_action": "OBSERVE" } });
        app.post("enterprise", "/epcis/v2/queries", query).await.expect(201);
        let to = json!({ "dest": "http://127.0.0.1:9/", "stream": true });
        app.post("enterprise", "/epcis/v2/queries/q0/subscriptions", to).await.expect(201);
    }
    let subscriptions = "/queries/q0/subscriptions";
    let lists = ["/epcs", "/bizSteps", "/dispositions", "/eventTypes", "/queries", subscriptions];
    for list in lists {
        let (mut told, mut next) = (Vec::new(), String::new());
        for _ in 0..100 {
            let answer = asked(&app, &format!("{list}?perPage=2{next}"), &[]).await;
            assert_eq!(answer.status, 200, "{list}: {}", answer.body);
            let found = answer.body["member"].as_array().or(answer.body.as_array()).unwrap();
            assert!(found.len() <= 2, "{list}");
            told.extend(found.iter().map(Value::to_string));
            if !answer.headers.contains_key("link") {
                break;
            }
            assert!(answer.headers.contains_key("gs1-next-page-token-expires"));
            next = format!("&nextPageToken={}", token(&answer));
        }
        let whole = asked(&app, &format!("{list}?perPage=1000"), &[]).await.body;
        let whole = whole["member"].as_array().or(whole.as_array()).unwrap();
        assert_eq!(told, whole.iter().map(Value::to_string).collect::<Vec<_>>(), "{list}");
    }
    let of_steps = token(&asked(&app, "/bizSteps?perPage=1", &[]).await);
    for list in lists.into_iter().chain(["/capture", "/readPoints", "/bizLocations"]) {
        let mut wrong = vec!["x", "", "1.2.3", "urn:example:thing", "0.0.0.-.0.0"];
        wrong.extend((list != "/bizSteps").then_some(of_steps.as_str()));
        for token in wrong {
            let answer = asked(&app, &format!("{list}?nextPageToken={token}"), &[]).await;
            let found = (answer.status, &answer.body["type"]);
            let wanted = json!("epcisException:QueryParameterException");
            assert_eq!(found, (400, &wanted), "{list} {token}");
        }
        for wrong in ["perPage=0", "perPage=-1", "perPage=x", "perPage=", "other=1"] {
            let answer = asked(&app, &format!("{list}?{wrong}"), &[]).await;
            assert_eq!(answer.status, 400, "{list} {wrong}");
        }
    }
}

#[tokio::test]
async fn g_8_2_one_subscription_too_many_is_told_as_such() {
    let app = TestApp::start().await;
    let query = json!({ "name": "q", "query": { "EQ_action": "OBSERVE" } });
    app.post("enterprise", "/epcis/v2/queries", query).await.expect(201);
    let subscribe = async || {
        let to = json!({ "dest": "http://127.0.0.1:9/", "stream": true });
        app.post("enterprise", "/epcis/v2/queries/q/subscriptions", to).await
    };
    for _ in 0..20 {
        subscribe().await.expect(201);
    }
    let answer = subscribe().await;
    let wanted = json!("epcisException:SubscriptionControlsException");
    assert_eq!((answer.status, &answer.body["type"]), (400, &wanted), "{}", answer.body);
}

#[tokio::test]
async fn g_8_2_every_door_says_what_it_can_do() {
    let app = TestApp::start().await;
    let one = "/queries/q/subscriptions/1";
    for (path, allow) in [
        ("", "GET, OPTIONS"),
        ("/capture", "GET, POST, OPTIONS"),
        ("/capture/1", "GET, OPTIONS"),
        ("/events", "GET, POST, OPTIONS"),
        ("/events/urn:a:b", "GET, OPTIONS"),
        ("/eventTypes", "GET, OPTIONS"),
        ("/eventTypes/ObjectEvent", "GET, OPTIONS"),
        ("/eventTypes/ObjectEvent/events", "GET, OPTIONS"),
        ("/epcs", "GET, OPTIONS"),
        ("/epcs/urn:a:b", "GET, OPTIONS"),
        ("/bizSteps/shipping/events", "GET, OPTIONS"),
        ("/bizLocations/urn:a:b", "GET, OPTIONS"),
        ("/readPoints/urn:a:b/events", "GET, OPTIONS"),
        ("/dispositions/active/events", "GET, OPTIONS"),
        ("/queries", "GET, POST, OPTIONS"),
        ("/queries/q", "GET, DELETE, OPTIONS"),
        ("/queries/q/events", "GET, OPTIONS"),
        ("/queries/q/subscriptions", "GET, POST, OPTIONS"),
        (one, "GET, DELETE, OPTIONS"),
        ("/nextPageToken/x", "DELETE, OPTIONS"),
    ] {
        let answer =
            app.send("OPTIONS", &format!("/epcis/v2{path}"), Some("enterprise"), &[], None).await;
        assert_eq!(
            (answer.status, &answer.headers["allow"]),
            (204, &allow.parse().unwrap()),
            "{path}"
        );
        for name in ["gs1-epcis-version", "gs1-cbv-max", "gs1-query-min-record-time"] {
            assert!(answer.headers.contains_key(name), "{path} {name}");
        }
    }
}
