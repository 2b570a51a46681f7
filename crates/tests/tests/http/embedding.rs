//! D-6.6.2: 公众查询 within the pages of others, and in whose.

use crate::harness::{Answer, TestApp};

async fn ask(app: &TestApp, path: &str) -> Answer {
    app.send("GET", path, None, &[("accept", "text/html")], None).await
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.bytes).unwrap()
}

fn policy(answer: &Answer) -> &str {
    answer.headers["content-security-policy"].to_str().unwrap()
}

#[tokio::test]
async fn d_6_6_2_the_page_of_a_code_stands_in_the_pages_of_those_who_may() {
    let app = TestApp::start().await;
    // The same facts as on the page itself, and the way there.
    let own = ask(&app, "/t/R1-sold").await;
    let within = ask(&app, "/embed/R1-sold").await;
    assert_eq!((own.status, within.status), (200, 200));
    for fact in ["示例韭菜", "示例蔬菜加工厂", "不合格", "id=\"steps\""] {
        assert!(text(&own).contains(fact) && text(&within).contains(fact), "{fact}");
    }
    assert!(text(&within).contains("href=\"/t/R1-sold\"") && text(&within).contains("_blank"));
    assert!(!text(&within).contains("id=\"verify\"") && !text(&within).contains("class=\"bar\""));
    for secret in ["1380", "示例联系人", "1540", "KGM"] {
        assert!(!text(&within).contains(secret), "{secret}");
    }
    // Nobody had it in hand.
    let json = [("accept", "application/json")];
    let told = app.send("GET", "/t/R1-sold", None, &json, None).await.expect(200);
    assert_eq!(told["scans"], 2);
    assert!(text(&own).contains("第 1 次查询") && !text(&within).contains("次查询"));
    // Whoever is named may, on that page alone.
    assert!(policy(&within).contains("frame-ancestors 'self' https://shop.example.cn"));
    assert!(!policy(&within).contains("unsafe"));
    for path in ["/t/R1-sold", "/console/", "/verify", "/c/NOTHING"] {
        assert!(policy(&ask(&app, path).await).contains("frame-ancestors 'none'"), "{path}");
    }
}

#[tokio::test]
async fn d_6_6_2_what_there_is_nothing_to_tell_of_is_told_within_pages_too() {
    let app = TestApp::start().await;
    for path in ["/embed/NOTHING", "/embed/%F0%9F", "/embed/%3Cscript%3E"] {
        let nothing = ask(&app, path).await;
        assert_eq!(nothing.status, 404, "{path}");
        assert!(text(&nothing).contains("未查到追溯信息"), "{path}");
        assert!(!text(&nothing).contains("<script>"), "{path}");
        assert!(policy(&nothing).contains("https://shop.example.cn"), "{path}");
    }
    // The form of a product leads on within the page.
    let product = ask(&app, "/embed/06901234567892").await;
    assert!(text(&product).contains("action=\"/embed/06901234567892\" target=\"_self\""));
    let lot = ask(&app, "/embed/06901234567892?lot=R1-sold").await;
    assert!((300..400).contains(&lot.status), "{}", lot.status);
    let to = lot.headers["location"].to_str().unwrap();
    assert!(to.starts_with("/embed/"), "{to}");
    assert_eq!(ask(&app, to).await.status, 200);
    // A machine is told by the document of the page itself, which scripts of all sites may read.
    let json = [("accept", "application/json"), ("origin", "https://shop.example.cn")];
    let told = app.send("GET", "/t/R1-sold", None, &json, None).await;
    assert_eq!(
        (told.status, &told.headers["access-control-allow-origin"]),
        (200, &"*".parse().unwrap())
    );
}
