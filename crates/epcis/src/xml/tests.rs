use super::{XmlEventReader, XmlForm, document_to_xml, event_to_xml};
use crate::{
    Context, Document, EventHash, Json, Limits, ReadError, check_event, check_event_within,
    event_hash, pre_hash,
};

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(bytes: &[u8]) -> Result<(Vec<Json>, Context, Json), ReadError> {
    let mut reader = XmlEventReader::new(bytes, Limits::default());
    let mut events = Vec::new();
    while let Some(event) = reader.next_event()? {
        events.push(event);
    }
    Ok((events, reader.context().clone(), reader.header()))
}

#[test]
fn the_published_xml_has_the_published_hash() {
    let (events, context, _) = read(&vector("object-all.xml")).unwrap();
    assert_eq!(check_event(&events[0], 10), []);
    let document = Document::parse(&vector("object-all.json"), &Limits::default()).unwrap();
    assert_eq!(pre_hash(&events[0], &context), pre_hash(&document.events()[0], document.context()));
    let expected = String::from_utf8(vector("hashes.txt")).unwrap();
    let line = format!("object-all.xml {}", event_hash(&events[0], &context, EventHash::Sha256));
    assert!(expected.lines().any(|known| known == line));
    assert_eq!(events[0].get("bizStep").unwrap().as_text(), Some("receiving"));
    assert_eq!(
        events[0].get("quantityList").unwrap().to_string(),
        r#"[{"epcClass":"urn:epc:class:lgtin:4012345.012345.998877","quantity":200.0,"uom":"KGM"}]"#
    );
}

#[test]
fn every_published_document_keeps_its_hashes_through_both_kinds_of_xml() {
    for name in [
        "basic",
        "sensor",
        "extension-in-place",
        "all-keys",
        "time",
        "user-extensions",
        "object-all",
        "various",
    ] {
        let document =
            Document::parse(&vector(&format!("{name}.json")), &Limits::default()).unwrap();
        let wanted: Vec<String> =
            document.events().iter().map(|event| pre_hash(event, document.context())).collect();
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            let xml = document_to_xml(&document, form).unwrap();
            let (events, context, header) = read(xml.as_bytes()).unwrap();
            let found: Vec<String> = events.iter().map(|event| pre_hash(event, &context)).collect();
            assert_eq!(found, wanted, "{name} {form:?}\n{xml}");
            assert!(events.iter().all(|event| check_event(event, 10).is_empty()), "{name}");
            assert_eq!(crate::check_document(&header, 10), [], "{name}");
        }
    }
}

const HEAD: &str = r#"<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2"
    creationDate="2024-05-01T00:00:00Z" xmlns:x="https://x.example/">"#;
const TIMES: &str = "<eventTime>2024-05-01T08:00:00+08:00</eventTime>\
    <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>";

fn events_of(inner: &str) -> Result<Vec<Json>, ReadError> {
    let text =
        format!("{HEAD}<EPCISBody><EventList>{inner}</EventList></EPCISBody></e:EPCISDocument>");
    read(text.as_bytes()).map(|(events, ..)| events)
}

#[test]
fn wrappers_of_1_2_are_undone() {
    let inner = format!(
        "<ObjectEvent>{TIMES}<baseExtension><eventID>urn:a:b</eventID></baseExtension><epcList/>\
         <action>ADD</action><extension><quantityList><quantityElement><epcClass>urn:c:d</epcClass>\
         <quantity>.5</quantity><uom>KGM</uom></quantityElement></quantityList><ilmd><x:lot>L&amp;1</x:lot>\
         <y:own xmlns:y='https://y.example/' a='1' y:b='2'>t<y:c/></y:own></ilmd>\
         <extension><persistentDisposition><set>urn:epcglobal:cbv:disp:damaged</set>\
         </persistentDisposition></extension></extension><x:note>1</x:note><x:note>2</x:note>\
         </ObjectEvent><extension><TransformationEvent>{TIMES}<inputEPCList><epc>urn:a:b</epc>\
         </inputEPCList><outputEPCList><epc>urn:c:d</epc></outputEPCList></TransformationEvent>\
         </extension><QuantityEvent>{TIMES}<epcClass>urn:c:d</epcClass><quantity>12</quantity>\
         <bizStep>urn:epcglobal:cbv:bizstep:storing</bizStep></QuantityEvent>"
    );
    let events = events_of(&inner).unwrap();
    assert!(events.iter().all(|event| check_event(event, 10).is_empty()));
    let times = r#""eventTime":"2024-05-01T08:00:00+08:00","eventTimeZoneOffset":"+08:00""#;
    let rest = concat!(
        r#""eventID":"urn:a:b","epcList":[],"action":"ADD","#,
        r#""quantityList":[{"epcClass":"urn:c:d","quantity":0.5,"uom":"KGM"}],"#,
        r##""ilmd":{"x:lot":"L&1","y:own":{"@a":"1","@y:b":"2","y:c":"","#text":"t"}},"##,
        r#""persistentDisposition":{"set":["damaged"]},"x:note":["1","2"]"#,
    );
    assert_eq!(
        events[0].to_string(),
        format!(
            r#"{{"@context":{{"y":"https://y.example/"}},"type":"ObjectEvent",{times},{rest}}}"#
        )
    );
    assert_eq!(events[1].text_of("type"), Some("TransformationEvent"));
    assert_eq!(
        events[2].to_string(),
        format!(
            r#"{{"type":"ObjectEvent",{times},"bizStep":"storing","action":"OBSERVE","quantityList":[{{"epcClass":"urn:c:d","quantity":12}}]}}"#
        )
    );
}

#[test]
fn dangerous_and_broken_xml_is_refused() {
    for declared in [
        "a [<!ENTITY b 'c'>]",
        "a []",
        "a SYSTEM 'https://a.example/a.dtd'",
        "a PUBLIC '-//a' 'https://a.example/a.dtd'",
        "a b",
        "",
    ] {
        let bomb = format!("<!DOCTYPE {declared}>{HEAD}</e:EPCISDocument>");
        assert!(matches!(read(bomb.as_bytes()), Err(ReadError::Syntax { .. })), "{declared}");
    }
    for declared in ["EPCISDocument", " e:EPCISDocument ", "x\n"] {
        let harmless =
            format!("<?xml version='1.0'?><!DOCTYPE {declared}>{HEAD}</e:EPCISDocument>");
        assert!(read(harmless.as_bytes()).is_ok(), "it declares nothing: {declared}");
    }
    for text in [
        "",
        "<a/>",
        "<EPCISDocument/>",
        "text",
        "<?xml version='1.0' encoding='GBK'?><a/>",
        "<e:EPCISDocument xmlns:e='urn:other'/>",
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2'><EPCISBody>",
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2'/><more/>",
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:2' a='1' a='2'/>",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    for inner in [
        "<ObjectEvent><eventID>&bomb;</eventID></ObjectEvent>",
        "<ObjectEvent a='&bomb;'/>",
        "<p:a/>",
        "text",
        "<Other/>",
        "<ObjectEvent></AggregationEvent>",
        "<x:a>&#0;</x:a>",
    ] {
        assert!(matches!(events_of(inner), Err(ReadError::Syntax { .. })), "{inner}");
    }
    let deep = format!("<x:a>{}{}</x:a>", "<x:b>".repeat(70), "</x:b>".repeat(70));
    assert!(matches!(events_of(&deep), Err(ReadError::TooMuch { .. })));
    let large = format!("<x:a>{}</x:a>", "0".repeat(2 << 20));
    assert!(matches!(events_of(&large), Err(ReadError::TooMuch { .. })));
    assert_eq!(events_of("<x:a><![CDATA[<&]]></x:a>").unwrap().len(), 1);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let whole = |before: &str, inner: &str| format!("{before}{HEAD}{inner}</e:EPCISDocument>");
    let declared = "<?xml version='1.0' encoding='UTF-8'?>";
    for sound in [
        whole(declared, "<!-- a - b -->"),
        whole("\u{feff}", ""),
        whole("<?xml version=\"1.0\"?>\n<!-- a --><?p q?>\n<!DOCTYPE e:EPCISDocument>", ""),
        whole(declared, "<x:a b='>' x:b=\"'\">]] > ]]&gt; <![CDATA[]] >]]></x:a>"),
        whole(declared, "<x:a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:id='i'/>"),
        whole(declared, "<x:a xmlns='urn:a' xmlns:y='https://y.example/' b='1' x:b='2' y:b='3'/>"),
    ] {
        assert!(read(sound.as_bytes()).is_ok(), "{sound}: {:?}", read(sound.as_bytes()).err());
    }
    for before in [
        " <?xml version='1.0'?>",
        "<!-- a --><?xml version='1.0'?>",
        "<?xml version='1.0'?><?xml version='1.0'?>",
        "<?xml?>",
        "<?xml encoding='UTF-8'?>",
        "<?xml version='1.0' encoding='UTF-8' standalone='?'?>",
        "<?xml version='1.0' encoding='UTF-16'?>",
        "<?XML version='1.0'?>",
        "<!DOCTYPE a><!DOCTYPE a>",
        "<!doctype a>",
        "<!DOCTYPEa>",
        "\u{3000}",
        "<!-- a -- b -->",
        "<!-- a --->",
        "<![CDATA[ ]]>",
        "&#32;",
    ] {
        let text = whole(before, "");
        assert!(matches!(read(text.as_bytes()), Err(ReadError::Syntax { .. })), "{text}");
    }
    for inner in [
        "<x:a b='<'/>",
        "<x:a>]]></x:a>",
        "<x:a><!-- a -- b --></x:a>",
        "<x:a><?xml version='1.0'?></x:a>",
        "<x:a><?xMl a?></x:a>",
        "<x:a xmlns:y='https://x.example/' x:b='1' y:b='2'/>",
        "<x:a xmlns:y='urn:y' xmlns:y='urn:y'/>",
        "<x:a b='1' b='1'/>",
        "<x:a b='1'c='2'/>",
        "<x:a b=1/>",
        "<x:a b/>",
        "<x:a 1b='1'/>",
        "<x:1a/>",
        "<x:a:b/>",
        "<x:/>",
        "<x:a b='&'/>",
        "<x:a b='&#2;'/>",
        "<x:a>\u{2}</x:a>",
        "<x:a xmlns:y=''/>",
        "<x:a xmlns:='urn:y'/>",
        "<x:a xmlns:xml='urn:y'/>",
        "<x:a xmlns:y='http://www.w3.org/XML/1998/namespace'/>",
        "<!DOCTYPE a>",
    ] {
        assert!(matches!(events_of(inner), Err(ReadError::Syntax { .. })), "{inner}");
        let text = whole("", inner);
        assert!(matches!(read(text.as_bytes()), Err(ReadError::Syntax { .. })), "{inner}");
    }
}

#[test]
fn white_space_in_an_attribute_is_a_space() {
    let events = events_of(&format!(
        "<ObjectEvent>{TIMES}<epcList/><action>ADD</action><x:a b=' 1\t2\r\n3&#9;4&#10;5&#13;6'>\r\n7\t\
         </x:a></ObjectEvent>"
    ));
    let event = &events.unwrap()[0];
    let own = event.get("x:a").unwrap();
    assert_eq!(own.text_of("@b"), Some(" 1 2 3\t4\n5\r6"));
    let mut context = Context::default();
    context.declare("x", "https://x.example/");
    let xml = event_to_xml(event, &context, &context, XmlForm::V2_0).unwrap();
    assert_eq!(&events_of(&xml).unwrap()[0], event, "a reference is one again: {xml}");
}

#[test]
fn utf_16_is_read_where_its_mark_says_so() {
    let inner = format!(
        "<EPCISBody><EventList><ObjectEvent>{TIMES}<epcList/><action>ADD</action>\
         <x:a>源鉴𬭚</x:a></ObjectEvent></EventList></EPCISBody>"
    );
    let text =
        |encoding: &str| format!("<?xml version='1.0'{encoding}?>{HEAD}{inner}</e:EPCISDocument>");
    let sent = |text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let (wanted, ..) = read(text("").as_bytes()).unwrap();
    for bytes in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        for encoding in ["", " encoding='UTF-16'", " encoding='utf-16'"] {
            let (events, ..) = read(&sent(&text(encoding), true, bytes)).unwrap();
            assert_eq!(events, wanted, "{encoding}");
        }
        for (encoding, mark) in
            [("", false), (" encoding='UTF-8'", true), (" encoding='GBK'", true)]
        {
            let error = read(&sent(&text(encoding), mark, bytes)).unwrap_err();
            assert!(matches!(error, ReadError::Syntax { .. }), "{encoding}");
            assert!(error.to_string().contains("请以 UTF-8 发送"), "{error}");
        }
    }
    let small = Limits { document_bytes_max: 64, ..Limits::default() };
    let bytes = sent(&text(""), true, u16::to_le_bytes);
    let mut reader = XmlEventReader::new(bytes.as_slice(), small);
    assert!(matches!(reader.next_event(), Err(ReadError::TooMuch { .. })));
}

/// The texts are those of GS1's event hash generator 1.9.3 for the same XML.
#[test]
fn attributes_of_xml_itself_need_no_declaration() {
    let list = "<epcList><epc>urn:epc:id:sgtin:0614141.107346.2018</epc></epcList>\
        <action>OBSERVE</action>";
    let start = "eventType=ObjectEventeventTime=2024-05-01T00:00:00.000ZeventTimeZoneOffset=+08:00epcList\
        epc=https://id.gs1.org/01/10614141073464/21/2018action=OBSERVE";
    let xml_name = "{http://www.w3.org/XML/1998/namespace}";
    let mut context = Context::default();
    context.declare("x", "https://x.example/");
    for (sent, json, text) in [
        (
            format!(
                "<ObjectEvent>{TIMES}{list}<x:o b='1' x:c='2' xml:lang='zh' xml:space='preserve' \
                 xml:base='https://b.example/'>v</x:o></ObjectEvent>"
            ),
            r##""x:o":{"@b":"1","@x:c":"2","@xml:lang":"zh","@xml:space":"preserve","@xml:base":"https://b.example/","#text":"v"}"##,
            format!(
                "{start}{{https://x.example/}}o=vb=1{xml_name}base=https://b.example/{xml_name}lang=zh\
                 {xml_name}space=preserve{{https://x.example/}}c=2"
            ),
        ),
        (
            format!("<ObjectEvent xml:lang='zh'>{TIMES}{list}<x:o>v</x:o></ObjectEvent>"),
            r#""xml:lang":"zh","x:o":"v""#,
            format!("{start}{xml_name}lang=zh{{https://x.example/}}o=v"),
        ),
    ] {
        let event = events_of(&sent).unwrap().remove(0);
        assert_eq!(check_event_within(&event, &context, 10), []);
        assert!(event.to_string().ends_with(&format!("{json}}}")), "{event}");
        assert!(!event.to_string().contains("@context"), "{event}");
        assert_eq!(pre_hash(&event, &context), text);
        let again = Json::parse(event.to_string().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(check_event_within(&again, &context, 10), [], "JSON has no need to declare it");
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            let xml = event_to_xml(&event, &context, &context, form).unwrap();
            assert!(xml.contains(" xml:lang=\"zh\"") && !xml.contains("xmlns:xml"), "{xml}");
            assert_eq!(events_of(&xml).unwrap()[0], event, "{xml}");
        }
    }
    let declared = |uri: &str| {
        let text = format!(
            r#"{{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{{"xml":"{uri}"}}],
            "type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2024-05-01T00:00:00Z",
            "epcisBody":{{"eventList":[]}}}}"#
        );
        crate::check_document(&Json::parse(text.as_bytes(), &Limits::default()).unwrap(), 10)
    };
    assert_eq!(declared("http://www.w3.org/XML/1998/namespace"), []);
    assert_eq!(declared("http://www.w3.org/2000/xmlns/").len(), 1);
}

#[test]
fn what_xml_cannot_say_is_refused_and_told_where_it_was_kept_before() {
    let context = Context::default();
    for (member, pointer, told) in [
        (r#""zz:a":1"#, "/zz:a", r#"<told:member name="zz:a">1</told:member>"#),
        (
            r#""https://a.example/1a":"x""#,
            "/https:~1~1a.example~11a",
            r#"<told:member name="https://a.example/1a">x</told:member>"#,
        ),
        (
            r#""https://a.example/o":{"1st":1,"a b":2,"c\\\u0001":3}"#,
            "/https:~1~1a.example~1o/1st",
            "<told:member name=\"1st\">1</told:member><told:member name=\"a b\">2</told:member>\
             <told:member name=\"c\\\\\\u0001\">3</told:member>",
        ),
        (
            r#""https://a.example/c":"a\u0001b""#,
            "/https:~1~1a.example~1c",
            r#">a<told:char code="0001"></told:char>b</"#,
        ),
        (
            r#""https://a.example/o":{"@1a":"x","@b":"\u0002","@c":{"d":1}}"#,
            "/https:~1~1a.example~1o/@1a",
            r#"<told:member name="@1a">x</told:member>"#,
        ),
    ] {
        let text = format!(
            r#"{{"type":"ObjectEvent","eventTime":"2024-05-01T08:00:00+08:00",
            "eventTimeZoneOffset":"+08:00","action":"ADD","epcList":["urn:a:b"],{member}}}"#
        );
        let event = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let faults = check_event_within(&event, &context, 10);
        assert_eq!(faults[0].pointer, pointer, "{member}");
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            let xml = event_to_xml(&event, &context, &context, form).unwrap();
            assert!(xml.contains(told), "{member} {xml}");
            assert_eq!(events_of(&xml).unwrap().len(), 1, "well formed: {xml}");
        }
    }
    let own =
        r#"{"type":"zz:Own","eventTime":"2024-05-01T08:00:00Z","eventTimeZoneOffset":"+08:00"}"#;
    let own = Json::parse(own.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(check_event_within(&own, &context, 10)[0].pointer, "/type");
    let xml = event_to_xml(&own, &context, &context, XmlForm::V2_0).unwrap();
    assert!(
        xml.starts_with("<told:member xmlns:told=\"urn:yj:epcis-xml:\" name=\"zz:Own\">"),
        "{xml}"
    );
    // A context that lives elsewhere may declare the prefix; one that declares nothing does not.
    let elsewhere = Json::parse(br#"["https://own.example/context.jsonld"]"#, &Limits::default());
    let elsewhere = Context::new(Some(&elsewhere.unwrap()));
    assert_eq!(check_event_within(&own, &elsewhere, 10), []);
    let sensed = r#"{"type":"ObjectEvent","eventTime":"2024-05-01T08:00:00Z","eventTimeZoneOffset":
        "+08:00","action":"OBSERVE","epcList":["urn:a:b"],"sensorElementList":[{"sensorReport":
        [{"type":"Mass","stringValue":"a\u0003","https://x/a":"1","https://x/a/":"2","q:1":3}]}]}"#;
    let sensed = Json::parse(sensed.as_bytes(), &Limits::default()).unwrap();
    let xml = event_to_xml(&sensed, &context, &context, XmlForm::V2_0).unwrap();
    assert!(xml.contains("<stringValue>a<told:char"), "{xml}");
    assert_eq!(events_of(&xml).unwrap().len(), 1, "{xml}");
}

#[test]
fn headers_and_query_answers_go_both_ways() {
    let text = r#"{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        {"ex":"https://ex.example/"}],
        "type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2024-05-01T00:00:00Z","ex:own":"x",
        "sender":"urn:a:b","receiver":"urn:c:d","instanceIdentifier":"7","epcisHeader":
        {"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:ReadPoint",
        "vocabularyElementList":[{"id":"urn:e:f","attributes":[{"id":"urn:g:h","attribute":"示例"}],
        "children":["urn:i:j"]}]}]},"ex:note":{"ex:a":"1"}},"epcisBody":{"eventList":[]}}"#;
    let query = r#"{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type":"EPCISQueryDocument","schemaVersion":"2.0","creationDate":"2024-05-01T00:00:00Z",
        "epcisBody":{"queryResults":{"queryName":"q","subscriptionID":"s","resultsBody":
        {"eventList":[]}}}}"#;
    let sent = query.replace(
        r#""epcisBody""#,
        r#""sender":"urn:a:b","receiver":"urn:c:d","instanceIdentifier":"7","epcisHeader":
        {"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:ReadPoint",
        "vocabularyElementList":[{"id":"urn:e:f"}]}]}},"epcisBody""#,
    );
    for text in [text, query, sent.as_str()] {
        let source = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        for form in [XmlForm::V1_2, XmlForm::V2_0] {
            let xml = document_to_xml(&Document::new(source.clone()), form).unwrap();
            let (_, _, header) = read(xml.as_bytes()).unwrap();
            let sorted = |json: &Json| {
                let mut members = json.members().to_vec();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Json::Object(members).to_string()
            };
            assert_eq!(sorted(&header), sorted(&source), "{xml}");
        }
    }
}

#[test]
fn what_xml_schema_says_of_an_extension_is_no_part_of_the_event() {
    let schema = "xmlns:s='http://www.w3.org/2001/XMLSchema-instance' xmlns:d='urn:d'";
    let event = |attributes: &str| {
        format!(
            "<ObjectEvent {schema}>{TIMES}<epcList><epc>urn:a:b</epc></epcList><action>ADD</action>\
             <ilmd><x:n{attributes}>10</x:n><x:o{attributes}><x:p{attributes} x:q='1'>2</x:p></x:o>\
             </ilmd><x:n{attributes}>20</x:n></ObjectEvent>"
        )
    };
    let typed = &events_of(&event(" s:type='d:integer' s:nil='false'")).unwrap()[0];
    assert_eq!(typed, &events_of(&event("")).unwrap()[0]);
    assert_eq!(
        typed.get("ilmd").unwrap().to_string(),
        r##"{"x:n":"10","x:o":{"x:p":{"@x:q":"1","#text":"2"}}}"##
    );
}

#[test]
fn a_word_that_a_context_elsewhere_explains_is_written_in_full() {
    let document = Document::parse(
        br#"{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "https://ref.gs1.org/voc/data/gs1Voc.jsonld",{"gs1":"https://ref.gs1.org/voc/"}],
        "type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-10T08:00:00Z",
        "epcisBody":{"eventList":[{"type":"ObjectEvent","eventTime":"2026-11-10T08:00:00Z",
        "eventTimeZoneOffset":"+08:00","action":"OBSERVE","epcList":["urn:example:thing:7"],
        "gs1:store":{"gs1:locationRoleType":"BACKROOM","gs1:name":"BACKROOM"}}]}}"#,
        &Limits::default(),
    )
    .unwrap();
    let xml = document_to_xml(&document, XmlForm::V2_0).unwrap();
    assert!(xml.contains(">https://ref.gs1.org/voc/LocationRoleType-BACKROOM<"), "{xml}");
    assert!(xml.contains("name>BACKROOM<"), "{xml}");
    let (events, context, _) = read(xml.as_bytes()).unwrap();
    let wanted = pre_hash(&document.events()[0], document.context());
    assert_eq!(pre_hash(&events[0], &context), wanted);
}

#[test]
fn an_event_may_come_without_a_document() {
    let inner = format!("{TIMES}<epcList><epc>urn:a:b</epc></epcList><action>ADD</action>");
    let plain =
        format!("<ObjectEvent xmlns:x='https://x.example/'>{inner}<x:n>1</x:n></ObjectEvent>");
    let named = "xmlns:x='https://x.example/' xmlns:e='urn:epcglobal:epcis:xsd:2'";
    let prefixed = format!("<e:ObjectEvent {named}>{inner}<x:n>1</x:n></e:ObjectEvent>");
    for text in [plain, prefixed] {
        let mut reader = XmlEventReader::new(text.as_bytes(), Limits::default());
        let event = reader.next_event().unwrap().unwrap();
        assert_eq!(
            (check_event_within(&event, reader.context(), 10), reader.is_bare()),
            (vec![], true)
        );
        assert_eq!(event.get("x:n").unwrap().as_text(), Some("1"));
        assert_eq!(reader.next_event().unwrap(), None);
    }
    for text in [
        "<Other xmlns='urn:epcglobal:epcis:xsd:2'/>",
        "<x:ObjectEvent xmlns:x='https://x.example/'/>",
        "<ObjectEvent/><ObjectEvent/>",
        "<ObjectEvent>",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn master_data_that_is_more_than_text_is_whole_in_both_forms() {
    let data = "<EPCISHeader><extension><EPCISMasterData><VocabularyList>\
        <Vocabulary type='urn:epcglobal:epcis:vtype:BusinessLocation'><VocabularyElementList>\
        <VocabularyElement id='urn:e:f'><attribute id='https://x.example/address'><x:Address>\
        <x:street>示例路 1 号</x:street><x:line>甲</x:line><x:line>乙</x:line><floor>3</floor>\
        </x:Address><q:note xmlns:q='https://q.example/' q:kind='k'>备注</q:note></attribute>\
        </VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData>\
        </extension></EPCISHeader><EPCISBody><EventList/></EPCISBody></e:EPCISDocument>";
    let (_, context, header) = read(format!("{HEAD}{data}").as_bytes()).unwrap();
    assert_eq!(crate::check_document(&header, 10), []);
    let text = header.to_string();
    let value = concat!(
        r#"{"x:Address":{"x:street":"示例路 1 号","x:line":["甲","乙"],"floor":"3"},"#,
        r##""q:note":{"@q:kind":"k","#text":"备注"}}"##,
    );
    assert!(text.contains(&format!(r#""attribute":{value}"#)), "{text}");
    assert_eq!(context.namespace("q"), Some("https://q.example/"));
    assert!(Json::parse(text.as_bytes(), &Limits::default()).is_ok(), "no name is there twice");
    for form in [XmlForm::V1_2, XmlForm::V2_0] {
        let xml = document_to_xml(&Document::new(header.clone()), form).unwrap();
        let back = read(xml.as_bytes()).unwrap().2;
        assert_eq!(back.get("epcisHeader"), header.get("epcisHeader"), "{xml}");
    }
}

#[test]
fn each_form_has_the_order_of_its_schema() {
    let text = r#"{"type":"ObjectEvent","ilmd":{"x:a":1},"persistentDisposition":{"set":["damaged"]},
        "quantityList":[{"epcClass":"urn:c:d"}],"action":"ADD","certificationInfo":"urn:e:f",
        "eventID":"urn:a:b","eventTimeZoneOffset":"+08:00","eventTime":"2024-05-01T08:00:00+08:00"}"#;
    let event = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let mut context = Context::default();
    context.declare("x", "https://x.example/");
    let start = "<ObjectEvent><eventTime>2024-05-01T08:00:00+08:00</eventTime>\
        <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>";
    let quantity = "<quantityList><quantityElement><epcClass>urn:c:d</epcClass></quantityElement>\
        </quantityList>";
    let state = "<persistentDisposition><set>urn:epcglobal:cbv:disp:damaged</set>\
        </persistentDisposition>";
    let ilmd = "<ilmd><x:a>1</x:a></ilmd>";
    assert_eq!(
        event_to_xml(&event, &context, &context, XmlForm::V1_2).unwrap(),
        format!(
            "{start}<baseExtension><eventID>urn:a:b</eventID><extension><certificationInfo>urn:e:f\
             </certificationInfo></extension></baseExtension><epcList></epcList><action>ADD</action>\
             <extension>{quantity}{ilmd}<extension>{state}</extension></extension></ObjectEvent>"
        )
    );
    assert_eq!(
        event_to_xml(&event, &context, &context, XmlForm::V2_0).unwrap(),
        format!(
            "{start}<eventID>urn:a:b</eventID><certificationInfo>urn:e:f</certificationInfo>\
             <epcList></epcList><action>ADD</action>{quantity}{state}{ilmd}</ObjectEvent>"
        )
    );
}

#[test]
fn an_unknown_quantity_may_be_nil() {
    let nil = "<quantity xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>";
    let events = events_of(&format!(
        "<ObjectEvent>{TIMES}<epcList/><action>ADD</action><quantityList><quantityElement>\
         <epcClass>urn:c:d</epcClass>{nil}</quantityElement></quantityList></ObjectEvent>"
    ));
    let event = &events.unwrap()[0];
    assert_eq!(event.get("quantityList").unwrap().to_string(), r#"[{"epcClass":"urn:c:d"}]"#);
}

#[test]
fn words_of_the_standard_are_web_uris_where_those_are_asked_for() {
    let event = Json::parse(
        br#"{"type":"ObjectEvent","eventTime":"2026-01-01T00:00:00Z","eventTimeZoneOffset":"+00:00",
            "action":"OBSERVE","epcList":["urn:a:b"],"bizStep":"shipping","disposition":"https://example.com/own",
            "bizTransactionList":[{"type":"po","bizTransaction":"urn:a:c"}]}"#,
        &Limits::default(),
    )
    .unwrap();
    let context = Context::default();
    let urn = event_to_xml(&event, &context, &context, XmlForm::V2_0).unwrap();
    let web = event_to_xml(&event, &context, &context, XmlForm::V2_0Web).unwrap();
    assert!(urn.contains("<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>"), "{urn}");
    assert!(web.contains("<bizStep>https://ref.gs1.org/cbv/BizStep-shipping</bizStep>"), "{web}");
    assert!(web.contains("type=\"https://ref.gs1.org/cbv/BTT-po\""), "{web}");
    assert!(web.contains("<disposition>https://example.com/own</disposition>"), "{web}");
}

#[test]
fn a_prefix_of_gs1_is_declared_where_a_word_has_it() {
    let event = r#"{"type":"ObjectEvent","eventTime":"2024-05-01T08:00:00+08:00",
        "eventTimeZoneOffset":"+08:00","action":"OBSERVE","epcList":["urn:a:b"],"sensorElementList":
        [{"sensorReport":[{"type":"Temperature","value":4,"uom":"CEL","component":"x"}]}]}"#;
    let event = Json::parse(event.as_bytes(), &Limits::default()).unwrap();
    let mut other = Context::default();
    other.declare("gs1", "urn:other:");
    for (around, kind) in
        [(Context::default(), "gs1:Temperature"), (other, "https://ref.gs1.org/voc/Temperature")]
    {
        let xml = event_to_xml(&event, &around, &around, XmlForm::V2_0).unwrap();
        assert!(xml.contains(&format!("type=\"{kind}\"")), "{xml}");
        assert!(xml.contains(" xmlns:cbv=\"https://ref.gs1.org/cbv/\""), "{xml}");
        assert_eq!(xml.contains("xmlns:gs1=\"https://ref.gs1.org/voc/\""), kind.starts_with("gs1"));
    }
}
