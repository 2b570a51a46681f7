use super::{EventHash, event_hash, pre_hash};
use crate::{Document, Json, Limits};

/// Published inputs and what GS1's reference tool makes of them; see `vectors/README.md`.
const EXPECTED: &str = include_str!("../../vectors/hashes.txt");

fn document(name: &str) -> Document {
    let bytes = std::fs::read(format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    Document::parse(&bytes, &Limits::default()).unwrap()
}

fn hashes(document: &Document, hash: EventHash) -> Vec<String> {
    let events = document.events().iter();
    events.map(|event| event_hash(event, document.context(), hash)).collect()
}

#[test]
fn published_json_documents_have_the_published_hashes() {
    let mut names: Vec<&str> = EXPECTED.lines().filter_map(|line| line.split(' ').next()).collect();
    names.dedup();
    names.retain(|name| name.contains(".json"));
    assert_eq!(names.len(), 8);
    for name in names {
        let document = document(name);
        let lines = EXPECTED.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let pre: Vec<String> =
            document.events().iter().map(|event| pre_hash(event, document.context())).collect();
        let wanted: Vec<&str> = lines.collect();
        assert_eq!(hashes(&document, EventHash::Sha256), wanted, "{name}\n{}", pre.join("\n"));
        assert!(document.check(10).is_ok(), "{name}");
    }
}

#[test]
fn the_text_is_the_published_one() {
    let document = document("extension-in-place.json");
    let wanted = "eventType=ObjectEventeventTime=2020-03-04T10:00:30.000Z\
        eventTimeZoneOffset=+01:00epcListepc=https://id.gs1.org/01/00614141111114/21/987\
        action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-departing\
        disposition=https://ref.gs1.org/cbv/Disp-in_transit\
        readPointid=https://id.gs1.org/414/4012345000115\
        bizTransactionListtype=https://ref.gs1.org/cbv/BTT-po\
        bizTransaction=https://id.gs1.org/253/4012345111118123\
        sourceListtype=https://ref.gs1.org/cbv/SDT-owning_party\
        source=https://id.gs1.org/417/4012345000009\
        destinationListtype=https://ref.gs1.org/cbv/SDT-owning_party\
        destination=https://id.gs1.org/417/0614141000005\
        readPoint{https://ns.example.com/epcis/}myField1=AB-12\
        {https://ns.example.com/epcis/}userExt=CD-34";
    assert_eq!(pre_hash(&document.events()[0], document.context()), wanted);
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Both describe the same event.
fn same(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| {
        let document = Document::new(json(text));
        pre_hash(document.source(), document.context())
    });
    one == other
}

#[test]
fn spelling_does_not_matter_and_content_does() {
    let event = r#"{"@context":[{"e":"https://e/"}],"type":"ObjectEvent","action":"ADD",
        "eventTime":"2024-05-01T08:00:00+08:00","eventTimeZoneOffset":"+08:00",
        "epcList":["urn:epc:id:sscc:4012345.0000000111","urn:epc:id:sscc:4012345.0000000222"],
        "bizStep":"packing","e:a":[1.0,"x"],"e:b":{"e:c":true}}"#;
    for (from, to) in [
        ("\"packing\"", "\"urn:epcglobal:cbv:bizstep:packing\""),
        ("\"packing\"", "\"cbv:BizStep-packing\""),
        ("08:00:00+08:00", "00:00:00.0004Z"),
        ("[1.0,\"x\"]", "[\" x \",1]"),
        ("\"e:a\"", "\"https://e/a\""),
        ("urn:epc:id:sscc:4012345.0000000111", "https://example.com/00/040123450000001112"),
        (
            "\"action\"",
            "\"eventID\":\"urn:a:b\",\"recordTime\":\"2024-05-02T00:00:00Z\",\"action\"",
        ),
        ("\"action\"", "\"errorDeclaration\":{\"declarationTime\":\"x\"},\"action\""),
        ("\"action\"", "\"rdfs:comment\":\"x\",\"action\""),
        ("{\"e\":\"https://e/\"}", "{\"other\":\"x\",\"e\":\"https://e/\"}"),
    ] {
        assert!(same(event, &event.replace(from, to)), "{from} → {to}");
    }
    for (from, to) in [
        ("packing", "unpacking"),
        ("08:00:00+", "08:00:01+"),
        ("0000000111", "0000000112"),
        ("1.0", "1.01"),
        ("https://e/", "https://f/"),
        ("\"e:c\"", "\"e:d\""),
        ("true", "false"),
        ("\"+08:00\"", "\"+07:00\""),
        ("ADD", "DELETE"),
    ] {
        assert!(!same(event, &event.replace(from, to)), "{from} → {to}");
    }
}

#[test]
fn the_twin_digests_the_same_text() {
    let document = document("basic.json");
    let (event, context) = (&document.events()[0], document.context());
    let digest = yj_crypto::sm3::digest(pre_hash(event, context).as_bytes());
    let wanted = format!("ni:///x-yj-sm3;{}?ver=CBV2.0", yj_crypto::to_hex(&digest));
    assert_eq!(event_hash(event, context, EventHash::Sm3), wanted);
}

/// A context of the GS1 Web Vocabulary, as a document names it.
const WEB_VOCABULARY: &str = "https://ref.gs1.org/standards/eudr/context.jsonld";

/// In the manner of GS1's published documents on master data in extensions. With that document's own
/// values this text has the published hash.
#[test]
fn words_of_the_web_vocabulary_are_uris_where_its_context_is_named() {
    let text = |context: &str| {
        let text = format!(
            r#"{{"@context":["{context}",{{"schema":"https://schema.org/"}}],
        "type":"ObjectEvent","eventTime":"2024-11-22T11:30:00+01:00","eventTimeZoneOffset":"+01:00",
        "action":"ADD","epcList":["urn:uuid:1"],"gs1:masterDataAvailableFor":[{{
        "id":"https://id.gs1.org/414/4012345000054","@type":"Place","locationRoleType":"BACKROOM",
        "gs1:regulationType":"DEFORESTATION_REGULATION","schema:isAccessibleForFree":false,
        "locationRole":"BACKROOM","locationID_Type":"a b"}},{{"type":"Product","ex":"Product"}}]}}"#
        );
        let document = Document::new(json(&text));
        pre_hash(document.source(), document.context())
    };
    let head = "eventType=ObjectEventeventTime=2024-11-22T10:30:00.000ZeventTimeZoneOffset=+01:00\
        epcListepc=urn:uuid:1action=ADD";
    let voc = "https://ref.gs1.org/voc/";
    let told = format!(
        "{head}{{{voc}}}masterDataAvailableFor@type={voc}Placeid=https://id.gs1.org/414/4012345000054\
         locationID_Type=a blocationRole=BACKROOMlocationRoleType={voc}LocationRoleType-BACKROOM\
         {{{voc}}}regulationType={voc}RegulationTypeCode-DEFORESTATION_REGULATION\
         {{https://schema.org/}}isAccessibleForFree=false\
         {{{voc}}}masterDataAvailableForex=Producttype={voc}Product"
    );
    assert_eq!(text(WEB_VOCABULARY), told);
    let minimal = "https://example.github.io/GS1WebVoc-minimal-context.jsonld";
    assert_eq!(text(minimal), told);
    let plain = told.replace(&format!("{voc}LocationRoleType-"), "");
    let plain = plain.replace(&format!("{voc}RegulationTypeCode-"), "");
    let plain = plain.replace(&format!("={voc}P"), "=P");
    for context in [crate::EPCIS_CONTEXT, "https://own.example/context.jsonld"] {
        assert_eq!(text(context), plain, "nothing says what the words mean");
    }
}

/// Readings as GS1's published sensor examples have them, with words of its vocabulary that CBV does
/// not list.
#[test]
fn measurements_of_the_web_vocabulary_are_uris() {
    let event = r#"{"type":"ObjectEvent","eventTime":"2019-04-02T15:00:00.000+01:00",
        "eventTimeZoneOffset":"+01:00","epcList":["urn:epc:id:sgtin:4012345.011111.9876"],
        "action":"OBSERVE","bizStep":"urn:epcglobal:cbv:bizstep:inspecting",
        "readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0"},"sensorElementList":[{"sensorMetadata":
        {"deviceID":"urn:epc:id:giai:4000001.111",
        "deviceMetadata":"https://id.gs1.org/8004/4000001111"},"sensorReport":[TIMES]}]}"#;
    let report = |(time, value): (&str, &str)| {
        format!(
            r#"{{"time":"2019-04-02T14:{time}:00.000+01:00","type":"gs1:MT-Temperature",
            "value":{value},"uom":"CEL"}}"#
        )
    };
    let reports = [
        ("05", "26.0"),
        ("15", "26.1"),
        ("25", "26.2"),
        ("35", "26.3"),
        ("45", "26.4"),
        ("55", "26.5"),
    ];
    let event = json(&event.replace("TIMES", &reports.map(report).join(",")));
    assert_eq!(crate::check_event(&event, 10), []);
    // The fifth of those examples says just this, and this is its published hash.
    let wanted =
        "ni:///sha-256;7e3a42357f679a5a4ee6b5124e0d05338d41ece98899b4ccf254efb941c8d405?ver=CBV2.0";
    assert_eq!(event_hash(&event, &crate::Context::default(), EventHash::Sha256), wanted);
}

/// The keys of the generator's test of identifiers (`epclist_normalisation`), and the hash that it
/// publishes for CBV 2.0: only what an EPC URN escapes is escaped in the link.
#[test]
fn identifiers_of_every_scheme_have_the_published_hash() {
    let tail = r#""action":"OBSERVE","bizStep":"inspecting",
        "readPoint":{"id":"urn:epc:id:sgln:4012345.00005.0"}}"#;
    let ids = [
        "id:sgtin:4012345.011111.9876",
        "id:sgtin:4012345.011111.98%22",
        "id:sgtin:415056789012.0.987654",
        "id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()",
        "id:sscc:4012345.3111111111",
        "id:sgln:4012345.00005.122",
        "id:sgln:4012345.00005.0",
        "id:grai:4012345.00022.334455",
        "id:giai:4012345.ABC345",
        "id:gsrn:4012345.0000006765",
        "id:gsrnp:4012345.0000000007",
        "id:gdti:4012345.00009.PO-4711",
        "id:gdti:987659999999..9",
        "id:cpi:0614141.11111111111111-A%23%2F.1234",
        "id:ginc:0614141.xyz47%2F11",
        "id:gsin:4012345.222333444",
        "id:itip:4012345.011111.01.02.987",
        "id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7'SDB",
        "id:pgln:4000001.00000",
        "id:pgln:999999999999.",
        "class:lgtin:4012345.012345.Lot987",
    ];
    let links = [
        "https://id.gs1.org/gtin/09780345418913",
        "https://example.com/gtin/09780345418913/21/765tz?abc=211121",
    ];
    let urns = ids.iter().map(|id| format!("\"urn:epc:{id}\""));
    let list: Vec<String> = urns.chain(links.map(|link| format!("\"{link}\""))).collect();
    let event = json(&format!(
        r#"{{"type":"ObjectEvent","eventTime":"2019-04-02T15:00:00.000+01:00",
        "eventTimeZoneOffset":"+01:00","epcList":[{}],{tail}"#,
        list.join(",")
    ));
    let wanted =
        "ni:///sha-256;028e1a1a0aef2be946fa8026eec361159033cab9d4da3f94bee1d58070b20198?ver=CBV2.0";
    assert_eq!(event_hash(&event, &crate::Context::default(), EventHash::Sha256), wanted);
    let links = [
        "urn:epc:id:sgtin:4012345.011111.a!(*),+:",
        "https://x.example/01/04012345111118/21/a%21%28%2A%29%2C%2B%3A",
    ];
    let [urn, link] =
        links.map(|id| json(&format!(r#"{{"type":"ObjectEvent","epcList":["{id}"]}}"#)));
    let context = crate::Context::default();
    assert_eq!(pre_hash(&urn, &context), pre_hash(&link, &context), "one key, one text");
}

/// What the generator, for all its releases, tells otherwise than CBV 2.0 §8.9 does.
#[test]
fn where_the_rules_are_clearer_than_the_generator() {
    let text = |members: &str| {
        let event = json(&format!(r#"{{"type":"ObjectEvent",{members}}}"#));
        pre_hash(&event, &crate::Context::default())
    };
    // Rule 6: a number is its digits. Python's decimals keep an exponent that stands in a text,
    // take `1_000` for a number and write a zero below zero.
    assert_eq!(text(r#""https://e/a":["1e3",1e20,-0.0,"1_000"]"#), {
        let name = "{https://e/}a=";
        format!("eventType=ObjectEvent{name}0{name}1000{name}100000000000000000000{name}1_000")
    });
    // Rule 13: the type stands first, in whatever order the members stand.
    assert_eq!(
        text(r#""sourceList":[{"source":"https://e/s","type":"location"}]"#),
        "eventType=ObjectEventsourceListtype=https://ref.gs1.org/cbv/SDT-locationsource=https://e/s"
    );
    // Rule 4: a transaction need not have a type; the generator fails.
    assert_eq!(
        text(r#""bizTransactionList":[{"bizTransaction":"https://e/t"}]"#),
        "eventType=ObjectEventbizTransactionListbizTransaction=https://e/t"
    );
    // Rule 12: what was added to several readings is in the order of its text; the generator has
    // it in the order of the readings it was added to.
    let reading =
        |value: u8, added: &str| format!(r#"{{"value":{value},"https://e/a":"{added}"}}"#);
    assert_eq!(
        text(&format!(
            r#""sensorElementList":[{{"sensorReport":[{},{}]}}]"#,
            reading(1, "z"),
            reading(2, "y")
        )),
        "eventType=ObjectEventsensorElementsensorReportvalue=1sensorReportvalue=2\
         sensorElementsensorReport{https://e/}a=ysensorReport{https://e/}a=z"
    );
    // Rule 16: only where a field takes words of CBV is a plain word one; the generator takes any
    // value for one that looks like the end of another in the same document.
    assert!(text(r#""bizStep":"packing","https://e/a":"packing""#).ends_with("a=packing"));
}
