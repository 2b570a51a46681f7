//! The measurements run: with few events, as a whole.

use std::process::Command;

#[test]
fn g_8_2_epcis_is_measured_over_the_whole_interface() {
    let output = Command::new(env!("CARGO_BIN_EXE_yuanjian"))
        .args(["bench", "epcis", "--events", "2000"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for wanted in [
        "当场采集（JSON-LD",
        "当场采集（XML",
        "任务采集（XML",
        "一份 1 MB",
        "内存",
        "一个事件 p50 / p95",
        "之后与之前的 p50 之比",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    // 200 at once and 200 by a job, in two forms, and two long documents.
    assert!(text.contains("库中 2800 个 EPCIS 事件"), "{text}");
}
