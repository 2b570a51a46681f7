//! Registers a subject, has it approved and posts its first event, at the platform of `YJ_URL`.
use serde_json::{from_value, json};
use yuanjian_client::{Client, models::TraceEvent, models::TraceSubjectInput};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [url, secret, password] = ["YJ_URL", "YJ_SECRET", "YJ_PASSWORD"].map(std::env::var);
    let (url, name) = (url?, "示例客户端家庭农场（Rust）");
    let gateway = Client::token(&url, "gateway", &secret?);
    let subject: TraceSubjectInput = from_value(json!({
        "name": name, "kind": "07", "roles": ["10"], "region": "610525",
        "contact_name": "示例联系人", "contact_phone": "02900000000",
    }))?;
    let change = gateway.create(&subject)?;
    let reviewer = Client::session(&url, "reviewer", &password?)?;
    let change = change["id"].as_str().unwrap_or_default();
    reviewer.approve::<TraceSubjectInput>(change, "资料齐全")?;
    let subject = gateway.find::<TraceSubjectInput>("name", name)?.remove(0);

    let event: TraceEvent = from_value(json!({
        "domain": "agri", "type": "harvest", "subject": subject.code,
        "event_time": "2026-11-02T10:30:00+08:00", "attributes": { "plot": "一号地" },
        "outputs": [{ "code": "RS-0001", "quantity": "120.5", "unit": "KGM", "lot": "20261102" }],
    }))?;
    let first = gateway.capture(std::slice::from_ref(&event))?.remove(0);
    let again = gateway.capture(&[event])?.remove(0);
    println!("{}", json!({ "subject": subject.code, "event": first.id, "same": again.id }));
    Ok(())
}
