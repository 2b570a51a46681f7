//! The process dies at every numbered step from the queue to the block; nothing is lost, nothing
//! is doubled, and a program that shares no line with the platform says so too.

use std::sync::atomic::AtomicU64;

use crate::platform::{Place, Server, capture_until_death};

const CLIENTS: u64 = 2;

/// Where the sequencer can be made to die, and at which pass: a few blocks after the start, while
/// clients send.
const STEPS: [&str; 5] =
    ["after_read:6", "mid_block:4", "after_block:4", "after_mark:4", "registry_change:1"];

#[test]
fn r_4_a_death_at_any_step_of_a_block_loses_and_doubles_nothing() {
    let place = Place::new();
    Server::start(&place).rest(&place);
    let (next, mut acknowledged, mut held) = (AtomicU64::new(0), Vec::new(), Vec::new());
    for (round, step) in STEPS.into_iter().enumerate() {
        if step.starts_with("registry_change") {
            // With another platform key the next block changes the register.
            std::fs::remove_file(place.data().join("keys").join("platform.pem")).unwrap();
        }
        let told = acknowledged.len();
        acknowledged.extend(die(&place, step, &next));
        Server::start(&place).rest(&place);
        let (well, findings) = place.doctor();
        assert!(well, "{step}: {findings}");
        let export = place.export(&format!("export-{round}")).unwrap();
        let (code, said) = place.check(&export, &acknowledged, &held);
        assert!(code == 0 && said.contains("全部一致"), "{step}: {said}");
        held.push(export.join("checkpoint.txt"));
        println!("{step}: {} more acknowledged; {said}", acknowledged.len() - told);
    }
    assert!(acknowledged.len() > 50, "{} events: this measures nothing", acknowledged.len());
    let keys = std::fs::read_to_string(place.folder.path().join("export-4/keys.jsonl")).unwrap();
    // The first key, its end, and the key in its place.
    assert_eq!(keys.lines().count(), 3, "{keys}");
}

/// Sends until the process dies where it is told to; what was acknowledged.
fn die(place: &Place, step: &str, next: &AtomicU64) -> Vec<(String, String)> {
    use std::os::unix::process::ExitStatusExt as _;
    const ABORT: i32 = 6;
    let Some(mut server) = Server::start_to_die(place, Some(step)) else { return Vec::new() };
    let mut acknowledged = Vec::new();
    // It may die between any two of these.
    let ready = server.try_log_in(&place.data()).and_then(|token| {
        let farm = server.farm(&token)?;
        Ok((token, farm))
    });
    if let Ok((token, farm)) = ready {
        std::thread::scope(|scope| {
            let work = || capture_until_death(&server, (&token, &farm), next, None);
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
            for client in clients {
                acknowledged.extend(client.join().unwrap());
            }
        });
    }
    let status = server.process.wait().unwrap();
    assert_eq!(status.signal(), Some(ABORT), "{step}");
    acknowledged
}
