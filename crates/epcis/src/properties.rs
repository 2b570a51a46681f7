//! What holds for every document, tried on made-up and on damaged ones.

use std::sync::Arc;

use proptest::prelude::*;

use crate::{
    Context, Document, Epc, EventReader, Instant, Json, Limits, Query, XmlEventReader, XmlForm,
    canonical_link, check_document, check_event, check_event_within, document_of, document_to_xml,
    event::Event, event_in_full, id_matches, matches, pre_hash,
};

/// A small generator, so that one number stands for one event (splitmix64).
struct Dice(u64);

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

    fn id(&mut self) -> String {
        let number = self.roll(900) + 100;
        match self.roll(5) {
            0 => format!("urn:epc:id:sgtin:4012345.011111.A{number}%2F"),
            1 => format!("urn:epc:id:sscc:4012345.0000000{number}"),
            2 => format!("https://example.com/01/04012345111118/10/x/21/{number}"),
            3 => format!("urn:uuid:{number}"),
            _ => format!("urn:epc:id:giai:4012345.{number}"),
        }
    }

    fn ids(&mut self) -> Json {
        let mut ids: Vec<String> = (0..=self.roll(3)).map(|_| self.id()).collect();
        ids.sort();
        ids.dedup();
        Json::Array(ids.into_iter().map(Json::Text).collect())
    }

    fn number(&mut self) -> Json {
        Json::Number(
            self.pick(&["0", "-1.50", "2e3", "12.000", "0.1", "123456789012345678"]).into(),
        )
    }

    fn class(&mut self) -> String {
        let number = self.roll(900) + 100;
        match self.roll(4) {
            0 => format!("urn:epc:class:lgtin:4012345.011111.L{number}%2F"),
            1 => String::from("urn:epc:idpat:sgtin:4012345.011111.*"),
            2 => format!("https://example.com/01/04012345111118/10/{number}"),
            _ => format!("urn:class:{number}"),
        }
    }

    fn quantities(&mut self) -> Json {
        let mut one = vec![(String::from("epcClass"), Json::Text(self.class()))];
        if self.roll(2) == 0 {
            let amount = self.pick(&["1.50", "2e3", "12.000", "0.1", "123456789012345678"]);
            one.push((String::from("quantity"), Json::Number(amount.into())));
            one.push((String::from("uom"), Json::text("KGM")));
        }
        Json::Array(vec![Json::Object(one)])
    }

    fn typed(&mut self, name: &str, kinds: &[&str]) -> Json {
        let one = |dice: &mut Self| {
            let kind = (String::from("type"), Json::text(dice.pick(kinds)));
            Json::Object(vec![kind, (name.to_owned(), Json::Text(dice.id()))])
        };
        Json::Array((0..=self.roll(2)).map(|_| one(self)).collect())
    }

    fn extension(&mut self, depth: usize) -> Json {
        match self.roll(if depth == 0 { 5 } else { 8 }) {
            0 => Json::text(self.pick(&[
                "",
                "x",
                " a <&> \"b\" ",
                "中文",
                "00123",
                "cbv:Disp-x",
                "a\r\nb\tc",
            ])),
            1 => self.number(),
            2 => Json::Bool(self.roll(2) == 0),
            3 => Json::Null,
            4 => Json::Text(self.id()),
            5 => Json::Array((0..=self.roll(2)).map(|_| self.extension(depth - 1)).collect()),
            _ => Json::Object(self.extensions(depth - 1)),
        }
    }

    fn extensions(&mut self, depth: usize) -> Vec<(String, Json)> {
        let names = ["ex:a", "ex:b", "other:产地", "https://long.example/ns#c", "urn:long:ns:d"];
        let mut members = Vec::new();
        for name in names {
            if self.roll(3) == 0 {
                members.push((name.to_owned(), self.extension(depth)));
            }
        }
        members
    }

    fn sensors(&mut self) -> Json {
        let mut report = vec![(
            String::from("type"),
            Json::text(self.pick(&["Temperature", "gs1:Mass", "ex:own"])),
        )];
        if self.roll(2) == 0 {
            report.push((String::from("value"), self.number()));
            report.push((String::from("uom"), Json::text("CEL")));
            report.push((String::from("booleanValue"), Json::Bool(true)));
        }
        report.extend(self.extensions(1));
        let mut element = self.extensions(1);
        element.push((String::from("sensorReport"), Json::Array(vec![Json::Object(report)])));
        if self.roll(2) == 0 {
            let mut metadata = self.extensions(0);
            metadata.push((String::from("deviceID"), Json::Text(self.id())));
            element.push((String::from("sensorMetadata"), Json::Object(metadata)));
        }
        Json::Array(vec![Json::Object(element)])
    }

    fn place(&mut self) -> Json {
        let mut place = self.extensions(1);
        place.push((String::from("id"), Json::text("urn:epc:id:sgln:4012345.00005.0")));
        Json::Object(place)
    }

    /// A sound event of any kind.
    fn event(&mut self) -> Json {
        let kind = self.pick(&[
            "ObjectEvent",
            "AggregationEvent",
            "TransactionEvent",
            "TransformationEvent",
            "AssociationEvent",
            "ex:OwnEvent",
        ]);
        let mut members = vec![(String::from("type"), Json::text(kind))];
        let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
        add(
            "eventTime",
            Json::text(self.pick(&["2024-05-01T08:00:00+08:00", "2024-02-29T23:59:59.9996Z"])),
        );
        add("eventTimeZoneOffset", Json::text("+08:00"));
        let own = kind == "ex:OwnEvent";
        if kind != "TransformationEvent" && !own {
            add("action", Json::text("ADD"));
        }
        match kind {
            "ObjectEvent" => {
                add("epcList", self.ids());
                add("quantityList", self.quantities());
                add("ilmd", Json::Object(self.extensions(2)));
            }
            "AggregationEvent" | "AssociationEvent" => {
                add("parentID", Json::Text(self.id()));
                add("childEPCs", self.ids());
                add("childQuantityList", self.quantities());
            }
            "TransactionEvent" => {
                add("epcList", self.ids());
                add("quantityList", self.quantities());
            }
            "TransformationEvent" => {
                add("inputEPCList", self.ids());
                add("inputQuantityList", self.quantities());
                add("outputEPCList", self.ids());
                add("outputQuantityList", self.quantities());
                add("transformationID", Json::Text(self.id()));
            }
            _ => {}
        }
        add(
            "bizTransactionList",
            self.typed("bizTransaction", &["po", "urn:epcglobal:cbv:btt:inv"]),
        );
        if self.roll(2) == 0 {
            add(
                "bizStep",
                Json::text(self.pick(&[
                    "packing",
                    "urn:epcglobal:cbv:bizstep:packing",
                    "ex:drying",
                ])),
            );
            add(
                "disposition",
                Json::text(self.pick(&["damaged", "https://ref.gs1.org/cbv/Disp-damaged"])),
            );
            add("readPoint", self.place());
            add("eventID", Json::Text(self.id()));
        }
        if self.roll(2) == 0 {
            add("sourceList", self.typed("source", &["owning_party", "cbv:SDT-location"]));
            add("destinationList", self.typed("destination", &["possessing_party"]));
            add("sensorElementList", self.sensors());
            let states = Json::Array(vec![Json::text("damaged")]);
            add("persistentDisposition", Json::Object(vec![(String::from("set"), states)]));
        }
        members.extend(self.extensions(3));
        Json::Object(members)
    }
}

fn context() -> Context {
    let mut context = Context::default();
    context.declare("ex", "https://ex.example/");
    context.declare("other", "urn:other:ns");
    context
}

/// Puts members in another order, at every level.
fn shuffled(json: &Json, dice: &mut Dice) -> Json {
    match json {
        Json::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (dice.roll(1000), (name.clone(), shuffled(value, dice))))
                .collect();
            members.sort_by_key(|(place, _)| *place);
            Json::Object(members.into_iter().map(|(_, member)| member).collect())
        }
        Json::Array(items) => {
            Json::Array(items.iter().rev().map(|item| shuffled(item, dice)).collect())
        }
        other => other.clone(),
    }
}

fn limits() -> Limits {
    Limits::default()
}

/// Every reader may refuse these bytes, and none may panic.
fn read_all(bytes: &[u8]) {
    if let Ok(document) = Document::parse(bytes, &limits()) {
        let _ = document.check(10);
        for event in document.events() {
            let _ = check_event(event, 10);
            let _ = pre_hash(event, document.context());
        }
        let _ = check_document(document.source(), 10);
        // Whatever an event holds, XML is found for it, and it is well formed.
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            if let Ok(xml) = document_to_xml(&document, form) {
                let mut reader = XmlEventReader::new(xml.as_bytes(), limits());
                while let Ok(Some(_)) = reader.next_event() {}
            }
        }
        let _ = Query::from_json(document.source(), document.context());
    }
    let _ = EventReader::new(bytes, limits()).count();
    let mut xml = XmlEventReader::new(bytes, limits());
    while let Ok(Some(event)) = xml.next_event() {
        let _ = check_event(&event, 10);
        let _ = pre_hash(&event, xml.context());
    }
    let _ = xml.header();
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_documents_are_read_or_refused(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let mut bytes = vector(dice.pick(&["user-extensions.json", "object-all.xml", "time.json"]));
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes.truncate(at.max(1)),
                1 => drop(bytes.remove(at)),
                _ => bytes[at] = b"<>&\"'{}[],:\\/@ 0x\xff\x00"[dice.roll(19)],
            }
            if bytes.is_empty() {
                break;
            }
        }
        read_all(&bytes);
    }

    #[test]
    fn any_text_is_no_trouble_to_identifiers_and_queries(text in "\\PC{0,60}", other in "[a-zA-Z0-9:._/%*-]{0,60}") {
        for text in [&text, &other, &format!("urn:epc:id:{other}"), &format!("https://a/01/{other}")] {
            if let Some(link) = canonical_link(text) {
                prop_assert_eq!(canonical_link(&link), Some(link));
            }
            let _ = Epc::parse(text).map(|epc| epc.to_urn());
            let _ = id_matches(&format!("urn:epc:idpat:{other}"), text);
            let _ = Instant::parse(text);
            let _ = Query::parse([(text.as_str(), other.as_str())], &Context::default());
            let _ = Query::parse([(format!("EQ_{text}").as_str(), other.as_str())], &Context::default());
        }
    }

    #[test]
    fn made_up_events_are_sound_and_come_back_equal(seed in any::<u64>()) {
        let event = Dice(seed).event();
        prop_assert_eq!(check_event_within(&event, &context(), 10), vec![], "{}", event);
        let text = event.to_string();
        prop_assert_eq!(&Json::parse(text.as_bytes(), &limits()).unwrap(), &event);
        let document = document_of(vec![event.clone()], &context(), Instant(0)).to_string();
        let mut reader = EventReader::new(document.as_bytes(), limits());
        prop_assert_eq!(reader.next_event().unwrap(), Some(event));
        prop_assert_eq!(reader.next_event().unwrap(), None);
        prop_assert_eq!(check_document(reader.header().unwrap(), 10), vec![]);
    }

    #[test]
    fn the_hash_does_not_depend_on_order(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let event = dice.event();
        let other = shuffled(&event, &mut dice);
        prop_assert_eq!(pre_hash(&event, &context()), pre_hash(&other, &context()));
    }

    #[test]
    fn the_hash_survives_both_kinds_of_xml(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let events = vec![dice.event(), dice.event()];
        // Values of XML have no prefixes, and the hash keeps those of JSON.
        let full = |event: &Json, context: &Context| pre_hash(&event_in_full(event, context), context);
        let wanted: Vec<String> = events.iter().map(|event| full(event, &context())).collect();
        let document = Document::new(document_of(events, &context(), Instant(0)));
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            let xml = document_to_xml(&document, form).unwrap();
            let mut reader = XmlEventReader::new(xml.as_bytes(), limits());
            for wanted in &wanted {
                let event = reader.next_event().unwrap().unwrap();
                let context = reader.context().within(event.get("@context"));
                prop_assert_eq!(check_event_within(&event, &context, 10), vec![], "{}", xml);
                prop_assert_eq!(&full(&event, &context), wanted, "{}", xml);
            }
            prop_assert_eq!(reader.next_event().unwrap(), None);
        }
    }

    #[test]
    fn an_event_is_found_by_what_it_says(seed in any::<u64>()) {
        let event = Dice(seed).event();
        let context = Arc::new(context());
        let event = Event::new(event, &context, 10).unwrap();
        let time = event.source().text_of("eventTime").unwrap_or_default().to_owned();
        let mut parameters = vec![("eventType", event.kind.name()), ("GE_eventTime", time.as_str())];
        parameters.extend(event.action.map(|action| ("EQ_action", action.name())));
        parameters.extend(event.biz_step.as_deref().map(|step| ("EQ_bizStep", step)));
        parameters.extend(event.event_id.as_deref().map(|id| ("EQ_eventID", id)));
        parameters.extend(event.parent_id.as_deref().map(|id| ("MATCH_anyEPC", id)));
        parameters.extend(event.transformation_id.as_deref().map(|id| ("EQ_transformationID", id)));
        let query = Query::parse(parameters, &context).unwrap();
        prop_assert!(matches(&query, &event));
        let later = Query::parse([("LT_eventTime", time.as_str())], &context).unwrap();
        prop_assert!(!matches(&later, &event));
    }
}
