//! What the XML schemas of EPCIS 1.2 and 2.0 let stand and what not, where JSON would not tell.

use super::{XmlEventReader, XmlForm, event_to_xml};
use crate::{Context, EventHash, Json, Limits, ReadError, check_event_within, event_hash};

const TIMES: &str = "<eventTime>2024-05-01T08:00:00+08:00</eventTime>\
    <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>";

/// The events in an event list of this version, and what their prefixes mean.
fn events(version: u32, list: &str) -> Result<(Vec<Json>, Context), ReadError> {
    let text = format!(
        "<e:EPCISDocument xmlns:e='urn:epcglobal:epcis:xsd:{version}' schemaVersion='{version}.0' \
         xmlns:x='https://x.example/' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         creationDate='2024-05-01T00:00:00Z'><EPCISBody><EventList>{list}</EventList></EPCISBody>\
         </e:EPCISDocument>"
    );
    let mut reader = XmlEventReader::new(text.as_bytes(), Limits::default());
    let mut events = Vec::new();
    while let Some(event) = reader.next_event()? {
        events.push(event);
    }
    Ok((events, reader.context().clone()))
}

/// Why an event list is refused.
fn refused(version: u32, list: &str) -> String {
    events(version, list).map_or_else(|error| error.to_string(), |found| panic!("{found:?}"))
}

/// The only event, which is sound.
fn sound(version: u32, list: &str) -> (Json, Context) {
    let (mut found, context) =
        events(version, list).unwrap_or_else(|error| panic!("{list}: {error}"));
    let event = found.pop().unwrap();
    let within = context.within(event.get("@context"));
    assert_eq!(check_event_within(&event, &within, 9), [], "{list}");
    (event, context)
}

fn object(fields: &str) -> String {
    format!("<ObjectEvent>{TIMES}{fields}</ObjectEvent>")
}

const THING: &str = "<epcList><epc>urn:a:b</epc></epcList><action>ADD</action>";

#[test]
fn the_schemas_let_fields_stand_in_one_order() {
    for list in [
        object(&format!(
            "{THING}<bizStep>urn:a:b</bizStep><readPoint><id>urn:c:d</id><x:a/></readPoint>"
        )),
        object(&format!(
            "{THING}<sensorElementList><sensorElement><sensorReport type='gs1:Mass'/>\
            </sensorElement></sensorElementList><ilmd/><x:own/>"
        )),
        // 1.2 has the master data of the instance before what came later.
        object(&format!(
            "{THING}<ilmd/><sensorElementList><sensorElement><sensorReport type='gs1:Mass'/>\
            </sensorElement></sensorElementList>"
        )),
        object(
            "<epcList/><quantityList><quantityElement><epcClass>urn:c:d</epcClass></quantityElement>\
            </quantityList><action>ADD</action>",
        ),
        object(&format!(
            "<errorDeclaration><x:a/><reason>urn:a:b</reason>\
            <declarationTime>2024-05-02T00:00:00Z</declarationTime></errorDeclaration>{THING}"
        )),
        format!(
            "<AssociationEvent>{TIMES}<parentID>urn:a:b</parentID><childQuantityList>\
            <quantityElement><epcClass>urn:c:d</epcClass></quantityElement></childQuantityList>\
            <action>ADD</action></AssociationEvent>"
        ),
        // Whoever knows the kind of an event of somebody's own knows its order.
        format!("<x:Event><x:first/>{TIMES}</x:Event>"),
    ] {
        sound(2, &list);
    }
    for (list, words) in [
        (
            format!("<ObjectEvent><action>ADD</action>{TIMES}<epcList/></ObjectEvent>"),
            "ObjectEvent 中 eventTime 应在 action 之前",
        ),
        (
            object(&format!("{THING}<disposition>urn:a:b</disposition><bizStep>urn:a:b</bizStep>")),
            "ObjectEvent 中 bizStep 应在 disposition 之前",
        ),
        (object(&format!("<x:own/>{THING}")), "ObjectEvent 中 epcList 应在扩展元素 x:own 之前"),
        (
            object(&format!("{THING}<readPoint><x:a/><id>urn:c:d</id></readPoint>")),
            "readPoint 中 id 应在扩展元素 x:a 之前",
        ),
        (
            object(&format!(
                "{THING}<quantityList><quantityElement><quantity>1</quantity>\
                <epcClass>urn:c:d</epcClass></quantityElement></quantityList>"
            )),
            "quantityElement 中 epcClass 应在 quantity 之前",
        ),
        (
            object(&format!(
                "{THING}<persistentDisposition><set>urn:a:b</set><unset>urn:a:b</unset>\
                </persistentDisposition>"
            )),
            "persistentDisposition 中 unset 应在 set 之前",
        ),
        (
            object(&format!(
                "{THING}<sensorElementList><sensorElement><sensorReport type='gs1:Mass'/>\
                <sensorMetadata/></sensorElement></sensorElementList>"
            )),
            "sensorElement 中 sensorMetadata 应在 sensorReport 之前",
        ),
        (
            format!(
                "<TransactionEvent>{TIMES}<epcList/><bizTransactionList><bizTransaction>urn:a:b\
                </bizTransaction></bizTransactionList><action>ADD</action></TransactionEvent>"
            ),
            "TransactionEvent 中 bizTransactionList 应在 epcList 之前",
        ),
        (
            format!(
                "<AggregationEvent>{TIMES}<childEPCs/><parentID>urn:a:b</parentID>\
                </AggregationEvent>"
            ),
            "AggregationEvent 中 parentID 应在 childEPCs 之前",
        ),
        (
            format!(
                "<TransformationEvent>{TIMES}<outputEPCList/><inputEPCList/></TransformationEvent>"
            ),
            "TransformationEvent 中 inputEPCList 应在 outputEPCList 之前",
        ),
        (
            format!(
                "<AssociationEvent>{TIMES}<action>ADD</action><parentID>urn:a:b</parentID>\
                </AssociationEvent>"
            ),
            "AssociationEvent 中 parentID 应在 action 之前",
        ),
    ] {
        let said = refused(2, &list);
        assert!(said.ends_with(words), "{list}: {said}");
    }
    let said =
        refused(1, &object(&format!("{THING}<extension><ilmd/><quantityList/></extension>")));
    assert!(said.ends_with("ObjectEvent 中 quantityList 应在 ilmd 之前"), "{said}");
    let quantity = format!(
        "<QuantityEvent>{TIMES}<quantity>1</quantity><epcClass>urn:a:b</epcClass>\
        </QuantityEvent>"
    );
    assert!(refused(1, &quantity).ends_with("QuantityEvent 中 epcClass 应在 quantity 之前"));
}

#[test]
fn kinds_of_events_that_came_later_stand_in_the_extension_of_1_2() {
    let transformation = format!(
        "<TransformationEvent>{TIMES}<inputEPCList><epc>urn:a:b</epc></inputEPCList><outputEPCList>\
         <epc>urn:a:c</epc></outputEPCList></TransformationEvent>"
    );
    let association = format!(
        "<AssociationEvent>{TIMES}<parentID>urn:a:b</parentID><childEPCs><epc>urn:a:c</epc>\
         </childEPCs><action>ADD</action></AssociationEvent>"
    );
    let inside = |list: &str| format!("<extension>{list}</extension>");
    sound(2, &transformation);
    sound(2, &association);
    sound(1, &inside(&transformation));
    sound(1, &inside(&inside(&association)));
    let said = refused(1, &transformation);
    assert!(
        said.ends_with("EPCIS 1.x 的 TransformationEvent 应放在 EventList 的 extension 中"),
        "{said}"
    );
    for list in [association.clone(), inside(&association)] {
        let said = refused(1, &list);
        assert!(said.ends_with("EventList 的 extension 中的 extension 中"), "{said}");
    }
}

#[test]
fn fields_that_a_later_version_adds_are_kept() {
    let later = "<extension><later><part a='1'>2</part></later><more>3</more></extension>";
    for (version, list) in [
        (2, object(&format!("{THING}{later}<x:own/>"))),
        (1, object(&format!("{THING}<extension><ilmd/>{later}</extension>"))),
    ] {
        let (event, context) = sound(version, &list);
        assert_eq!(event.get("epcis:more").and_then(Json::as_text), Some("3"), "{event}");
        assert_eq!(
            event.get("epcis:later").map(ToString::to_string).as_deref(),
            Some(r##"{"part":{"@a":"1","#text":"2"}}"##)
        );
        let hash = event_hash(&event, &context, EventHash::Sha256);
        for (form, version) in [(XmlForm::V1_2, 1), (XmlForm::V2_0, 2)] {
            let xml = event_to_xml(&event, &context, &context, form).unwrap();
            let (back, context) = sound(version, &xml);
            assert_eq!(event_hash(&back, &context, EventHash::Sha256), hash, "{xml}");
        }
    }
    let place = "<readPoint><id>urn:c:d</id><extension><later>1</later></extension></readPoint>";
    let (event, _) = sound(2, &object(&format!("{THING}{place}")));
    assert_eq!(event.get("readPoint").unwrap().text_of("epcis:later"), Some("1"));
    // Elsewhere a name that nobody knows is a mistake.
    for (version, fields) in [
        (2, format!("{THING}<later>1</later>")),
        (1, format!("{THING}<extension><later>1</later></extension>")),
    ] {
        let (found, context) = events(version, &object(&fields)).unwrap();
        let faults = check_event_within(&found[0], &context, 9);
        assert_eq!(faults[0].pointer, "/later", "{fields}");
    }
}

#[test]
fn a_kind_of_event_that_nobody_knows_is_no_event() {
    let later = format!("<LaterEvent>{TIMES}</LaterEvent>");
    for list in [later.clone(), format!("<extension>{later}</extension>")] {
        assert!(refused(2, &list).ends_with("EventList 中应为事件"));
    }
}

#[test]
fn times_of_xml_have_no_second_60() {
    let leap = "2016-12-31T23:59:60Z";
    let at = TIMES.replace("2024-05-01T08:00:00+08:00", leap);
    for list in [
        format!("<ObjectEvent>{at}{THING}</ObjectEvent>"),
        object(&format!(
            "<errorDeclaration><declarationTime>{leap}</declarationTime>\
            </errorDeclaration>{THING}"
        )),
        object(&format!(
            "{THING}<sensorElementList><sensorElement><sensorReport type='gs1:Mass' \
            time='{leap}'/></sensorElement></sensorElementList>"
        )),
    ] {
        assert!(refused(2, &list).contains("秒为 00 至 59"), "{list}");
    }
    // What came in JSON goes out as the same point in time.
    let text = format!(
        r#"{{"type":"ObjectEvent","eventTime":"{leap}","eventTimeZoneOffset":"+00:00","action":"ADD",
        "epcList":["urn:a:b"],"sensorElementList":[{{"sensorReport":[{{"type":"Mass","time":"{leap}"}}]}}],
        "errorDeclaration":{{"declarationTime":"{leap}"}}}}"#
    );
    let event = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let context = Context::default();
    let xml = event_to_xml(&event, &context, &context, XmlForm::V2_0).unwrap();
    assert_eq!(xml.matches("2017-01-01T00:00:00Z").count(), 3, "{xml}");
    let (back, _) = sound(2, &xml);
    let hash = |event: &Json| event_hash(event, &context, EventHash::Sha256);
    assert_eq!(hash(&back), hash(&event));
}

#[test]
fn a_report_of_an_exception_need_not_say_what_was_measured() {
    let with = |report: &str| {
        object(&format!(
            "{THING}<sensorElementList><sensorElement>{report}</sensorElement>\
            </sensorElementList>"
        ))
    };
    let case_9 = "<sensorReport exception='gs1:ERROR_CONDITION' uriValue='https://e.example/827'/>\
        <sensorReport exception='gs1:ALARM_CONDITION' booleanValue='true'/>";
    let (event, context) = sound(2, &with(case_9));
    let hash = event_hash(&event, &context, EventHash::Sha256);
    for (form, version) in [(XmlForm::V1_2, 1), (XmlForm::V2_0, 2), (XmlForm::V2_0Web, 2)] {
        let xml = event_to_xml(&event, &context, &context, form).unwrap();
        let (back, context) = sound(version, &xml);
        assert_eq!(event_hash(&back, &context, EventHash::Sha256), hash, "{xml}");
    }
    let (found, context) = events(2, &with("<sensorReport value='1'/>")).unwrap();
    let faults = check_event_within(&found[0], &context, 9);
    assert_eq!(faults[0].pointer, "/sensorElementList/0/sensorReport/0");
    assert_eq!(faults[0].detail, "缺少 type；有 exception 时才可以没有");
}
