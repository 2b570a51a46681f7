//! The door for XML.

use serde_json::{Value, json};

use super::Published;
use crate::harness::{Answer, TestApp};

const EVENTS: &str = "/api/v1/trace/events";

async fn send(app: &TestApp, document: &str) -> Answer {
    let kind = [("content-type", "application/xml; charset=utf-8")];
    app.send("POST", EVENTS, Some("supervisor"), &kind, Some(document.into())).await
}

#[tokio::test]
async fn g_8_2_a_document_of_several_events_is_a_batch() {
    let app = TestApp::start().await;
    let subject = "93610525MAYJ010099";
    let harvest = |code: &str| {
        format!(
            "<t:harvest><t:outputs><t:output><t:unit>KGM</t:unit><t:quantity> 10 </t:quantity><t:code>{code}</t:code></t:output></t:outputs>\
             <t:attributes><t:plot>  示例\n  <![CDATA[<一>]]>&amp;号 </t:plot><t:safety_interval_days>7</t:safety_interval_days></t:attributes>\
             <t:event_time>2026-11-02T08:00:00+08:00</t:event_time><t:subject>{subject}</t:subject><!-- 次序不限 --></t:harvest>"
        )
    };
    let document = |atomic: &str, events: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<t:events xmlns:t=\"urn:yuanjian:trace-event:1\" domain=\"agri\"{atomic}>{events}</t:events>"
        )
    };
    let both = document("", &[harvest("XML-A"), harvest("XML-B")].concat());
    let taken = send(&app, &both).await.expect(201);
    let taken = taken["results"].as_array().unwrap();
    assert_eq!(taken.len(), 2);
    let path = format!("{EVENTS}/{}", taken[0]["id"].as_str().unwrap());
    let stored = app.get("supervisor", &path).await.expect(200);
    assert_eq!(stored["attributes"], json!({ "plot": "示例 <一>&号", "safety_interval_days": 7 }));
    assert_eq!(stored["source"], "form", "by the session it came through, as in JSON");
    // All or nothing, where that is asked for.
    let wrong = harvest("XML-C").replace("KGM", "XXX");
    let refused = document(" atomic=\"true\"", &[harvest("XML-D"), wrong.clone()].concat());
    assert_eq!(send(&app, &refused).await.expect(422)["stored"], false);
    let partly = document(" atomic=\"0\"", &[harvest("XML-D"), wrong.clone()].concat());
    let partly = send(&app, &partly).await.expect(201);
    assert_eq!(partly["results"][1]["problem"]["errors"][0]["field"], "outputs[0].unit");
    // One alone is answered as one.
    let alone = send(&app, &document("", &wrong)).await.expect(422);
    assert_eq!(alone["errors"][0]["field"], "outputs[0].unit");
}

#[tokio::test]
async fn g_8_2_xml_that_is_not_ours_is_refused() {
    let app = TestApp::start().await;
    let published = Published::of(&app).await;
    let sound =
        String::from_utf8(published.files["examples/agri/1.2.0/harvest.xml"].clone()).unwrap();
    let refuse = async |document: &str, status: u16, word: &str| {
        let found = send(&app, document).await;
        assert_eq!(found.status, status, "{word}: {}", found.body);
        assert!(found.body["detail"].to_string().contains(word), "{word}: {}", found.body);
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let bomb = sound.replace(head, "<!DOCTYPE events [<!ENTITY a \"aaaa\">]>");
    refuse(&bomb, 400, "DOCTYPE").await;
    refuse(&sound.replace("示例路", "&a;"), 400, "实体").await;
    refuse(&sound.replace("示例路", "&#1;"), 400, "实体").await;
    refuse(&sound.replace("urn:yuanjian:trace-event:1", "urn:other"), 400, "命名空间").await;
    refuse(&sound.replace("encoding=\"UTF-8\"", "encoding=\"GB18030\""), 400, "UTF-8").await;
    refuse(&sound.replace("</events>", ""), 400, "中断").await;
    refuse(&sound.replace("</harvest>", "</wrong>"), 400, "完好").await;
    refuse(&format!("{sound}<events/>"), 400, "").await;
    refuse(&sound.replace("events", "batch"), 400, "根元素").await;
    refuse(&sound.replace("<region>", "<region><a><b><c/></b></a>"), 400, "嵌套").await;
    refuse(&sound.replace("<region>", "<region><a/>"), 400, "不应有元素").await;
    refuse(&sound.replace("<outputs>", "<outputs>文字"), 400, "文字").await;
    let twice = sound.replace("<subject>", "<subject>1</subject><subject>");
    refuse(&twice, 400, "重复的元素 subject").await;
    refuse(&sound.replace("subject>", "owner>"), 422, "owner").await;
    refuse(&sound.replace("domain=\"agri\"", ""), 422, "领域").await;
    refuse(&sound.replace("domain=\"agri\"", "domain=\"agri"), 400, "").await;
    refuse("", 400, "中断").await;
    refuse("{}", 400, "").await;
    let none = "<events xmlns=\"urn:yuanjian:trace-event:1\" domain=\"agri\"/>";
    refuse(none, 422, "1 至 1000 条").await;
    let many = format!(
        "<events xmlns=\"urn:yuanjian:trace-event:1\" domain=\"agri\">{}</events>",
        "<harvest/>".repeat(200_001)
    );
    refuse(&many, 413, "200000").await;
    let kind = [("content-type", "text/plain")];
    let other = app.send("POST", EVENTS, Some("supervisor"), &kind, Some(sound.into())).await;
    assert_eq!(other.status, 415, "{}", other.body);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM trace_event WHERE domain = 'agri' AND lot = 'EX20261101'")
            .await,
        0
    );
    let _: Value = other.body;
}
