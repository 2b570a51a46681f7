//! The program as a stranger runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{path::PathBuf, process::Command};

use serde_json::Value;

const PROOFS: &str = include_str!("../../proof/vectors/proofs.json");

/// A proof of the published ones.
fn proof(name: &str) -> Value {
    let proofs: Vec<Value> = serde_json::from_str(PROOFS).unwrap();
    proofs.into_iter().find(|proof| proof["name"] == name).unwrap()
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        String::from(path.to_str().unwrap())
    }
}

/// Exit code, and what was said on either channel.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_yj-verify")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_proof_that_holds_says_since_when_by_whom_and_with_what_support() {
    let (desk, proof) = (Desk::new(), proof("witnessed and anchored, log of 7"));
    let file = desk.put("a.yjproof", proof["bundle"].as_str().unwrap());
    let fingerprint = proof["fingerprint"].as_str().unwrap();
    let (code, said, _) = run(&[&file, "--fingerprint", fingerprint]);
    assert_eq!(code, 0, "{said}");
    for words in [
        "结论：该记录自 1970-01-01 08:00:00（北京时间） 存证以来未被改动",
        "签名：平台密钥 p1，代主体 93610525MAYJ000496",
        "见证：日志 10 项时的检查点",
        "示例检测中心，2025-11-25 00:00:00（北京时间）",
        "外部锚定：平台声明在 eip155:31337 的交易 0xabab",
        "指纹与您给出的一致",
        "不说明产品真伪",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    for claim in ["正品", "为真", "属实", "真品"] {
        assert!(!said.contains(claim), "{claim}\n{said}");
    }
}

#[test]
fn what_does_not_hold_or_cannot_be_read_has_its_own_exit_code() {
    let (desk, good) = (Desk::new(), proof("whole, log of 7"));
    let text = good["bundle"].as_str().unwrap();
    let (good, bad) = (desk.put("a", text), desk.put("b", &text.replace("1200", "1201")));
    assert_eq!(run(&[&good]).0, 0);
    let (code, said, _) = run(&[&bad]);
    assert!(code == 1 && said.contains("未通过 记录属于该次提交"), "{said}");
    assert_eq!(run(&[&good, "--fingerprint", &"0".repeat(64)]).0, 1);
    let missing = desk.0.path().join("c");
    let (code, said, complaint) = run(&[&good, &bad, missing.to_str().unwrap()]);
    assert!(code == 2 && complaint.contains("不能读"), "{complaint}");
    assert!(said.contains("结论：该记录自") && said.contains("结论：验证未通过"), "{said}");
    let huge = desk.put("d", &" ".repeat(3 << 20));
    let (code, said, _) = run(&[&huge]);
    assert!(code == 1 && said.contains("超过 1 MiB"), "{said}");
}

#[test]
fn the_witness_demanded_must_have_signed() {
    let desk = Desk::new();
    for name in ["a trusted witness", "another trusted witness", "no trusted witness"] {
        let proof = proof(name);
        let file = desk.put("a", proof["bundle"].as_str().unwrap());
        let witness = proof["witnesses"][0].as_str().unwrap();
        let (code, said, _) = run(&[&file, "--witness", witness, "--json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(code, i32::from(!proof["failed"].is_null()), "{name}");
        let failed = said["steps"].as_array().unwrap().iter().find(|step| step["ok"] == false);
        assert_eq!(failed.map_or(&Value::Null, |step| &step["id"]), &proof["failed"], "{name}");
        assert_eq!(said["facts"].is_null(), code != 0);
    }
}

#[test]
fn a_wrong_call_is_explained() {
    let file = Desk::new().put("a", "{}");
    let calls: [&[&str]; 6] = [
        &[],
        &["--json"],
        &[&file, "--fingerprint"],
        &[&file, "--fingerprint", "ABC"],
        &[&file, "--witness", "a+b"],
        &[&file, "--trust"],
    ];
    for call in calls {
        let (code, _, complaint) = run(call);
        assert!(code == 2 && complaint.contains("用法"), "{call:?}: {complaint}");
    }
    let (code, said, _) = run(&["--help"]);
    assert!(code == 0 && said.contains("退出码"), "{said}");
}
