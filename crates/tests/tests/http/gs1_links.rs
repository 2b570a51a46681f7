//! GS1 Digital Link at the resolver's doors: every sound way of writing a link leads to the same page,
//! and of what is none the answer says what would be right.

use crate::{
    capturing::captured,
    gs1_resolver::{ask, text},
    harness::{TestApp, encoded, harvest},
};

const PAGE: &str = "http://127.0.0.1/t/R1-sold";

#[tokio::test]
async fn d_6_4_3_2_qualifiers_attributes_and_link_type_lead_to_the_page_of_the_lot() {
    let app = TestApp::start().await;
    for (path, there) in [
        ("/01/06901234567892/10/R1-sold", ""),
        ("/01/6901234567892/10/R1-sold", ""),
        ("/gtin/6901234567892/lot/R1-sold", ""),
        ("/01/06901234567892/10/R1%2Dsold", ""),
        ("/01/06901234567892/10/R1-sold?", ""),
        ("/01/06901234567892/10/R1-sold?17=270501&3103=000500", "?17=270501&3103=000500"),
        ("/01/06901234567892/10/R1-sold?utm=pack&sold", "?utm=pack&sold"),
        ("/01/06901234567892/10/R1-sold?linkType=gs1:pip", "#product"),
        ("/01/06901234567892/10/R1-sold?11=261101&linkType=gs1:pip", "?11=261101#product"),
    ] {
        let (status, headers, body) = ask(&app, ("GET", path), &[]).await;
        assert_eq!(status, 307, "{path}: {body}");
        assert_eq!(text(&headers, "location"), format!("{PAGE}{there}"), "{path}");
    }
    for id in [
        "HTTPS://EXAMPLE.CN:8443/some/path/01/06901234567892/10/R1-sold?17=270501#lot",
        "https://id.gs1.org/00/faux/gtin/6901234567892/lot/R1-sold",
        "(01)06901234567892(10)R1-sold",
        "]C10106901234567892\u{1d}10R1-sold\u{1d}",
        "]Q2https://example.cn/01/06901234567892/10/R1-sold",
        "urn:epc:class:lgtin:6901234.056789.R1-sold",
    ] {
        let id = encoded(id);
        let path = format!("/resolve?id={id}");
        let (status, headers, body) = ask(&app, ("GET", &path), &[]).await;
        assert_eq!((status, text(&headers, "location")), (307, PAGE), "{id}: {body}");
    }
}

#[tokio::test]
async fn d_6_4_3_2_a_link_that_breaks_a_rule_of_the_standard_is_malformed() {
    let app = TestApp::start().await;
    let json = [("accept", "application/json")];
    for (path, word) in [
        ("/01/06901234567892?10=R1-sold", "应在路径中"),
        ("/01/06901234567892/22/V?10=R1-sold", "应在路径中"),
        ("/01/06901234567892/21/S/10/R1-sold", "的顺序且不重复"),
        ("/01/06901234567892/10/R1-sold/235/T", "的顺序且不重复"),
        ("/01/06901234567892/10/R1-sold?10=R1-sold", "应只出现一次"),
        ("/01/06901234567892/10/R1-sold?17=270501&17=270501", "应只出现一次"),
        ("/01/06901234567892/10/R1-sold?254=A", "不是可用于问号之后的数据属性"),
        ("/01/06901234567892/10/R1-sold?98=A+B", "%2B"),
        ("/01/06901234567892/10/R1-sold?999=A", "不是 GS1 应用标识符"),
        ("/01/06901234567892/10/R1-sold?3102=000100&3103=000100", "不能同时使用"),
        ("/01/06901234567892/10/R1-sold?3922=100", "应与 （30）"),
        ("/01/06901234567892/10/R1-sold?7003=2705002400", "01 至 31"),
        ("/8017/690123400000000018?8018=690123400000000018", "不能同时使用"),
    ] {
        let (status, _, body) = ask(&app, ("GET", path), &json).await;
        assert_eq!(status, 400, "{path}: {body}");
        assert!(body.contains(word), "{path}: {body}");
    }
    let id = "https%3A%2F%2F%2F01%2F06901234567892";
    let (status, _, body) = ask(&app, ("GET", &format!("/resolve?id={id}")), &json).await;
    assert!(status == 422 && body.contains("主机名"), "{status} {body}");
}

#[tokio::test]
async fn d_6_4_3_2_a_serial_number_beside_a_lot_that_is_not_its_own_is_unknown() {
    let app = TestApp::start().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    // Of lot L1.
    captured(&app, harvest(&farm, "(01)06901234567892(21)LOT-OF-1")).await;
    let json = [("accept", "application/json")];
    for (path, found) in [
        ("/01/06901234567892/21/LOT-OF-1", true),
        ("/01/06901234567892/10/L1/21/LOT-OF-1", true),
        ("/01/06901234567892/10/L2/21/LOT-OF-1", false),
        ("/01/06901234567892/10/L2/21/NEVER", false),
        ("/resolve?id=(01)06901234567892(10)L2(21)LOT-OF-1", false),
        ("/t/(01)06901234567892(10)L2(21)LOT-OF-1", false),
    ] {
        let (status, _, body) = ask(&app, ("GET", path), &json).await;
        assert_eq!(status != 404, found, "{path}: {status} {body}");
    }
}
