//! What the figures of `docs/performance.md` are made with runs, on a small sheet.

use std::process::Command;

#[test]
fn g_6_4_a_sheet_of_two_kinds_is_measured_through_the_import_door() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_yuanjian"))
        .args(["bench", "import", "--events", "40", "--keep"])
        .arg(folder.path())
        .output()
        .unwrap();
    let (said, wrong) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}{wrong}");
    for figure in ["CSV：上传、检查、分份", "CSV：逐行登记", "XLSX（0 MiB）：逐行登记"]
    {
        assert!(said.contains(figure), "{figure}: {said}");
    }
    assert!(!folder.path().join("bench.xlsx").exists(), "nothing is left");
}
