//! The program: looks again and again, and says what it saw.

use std::{process::ExitCode, thread, time::Instant};

use crate::{Arguments, Outcome, Witness};

/// What a look that refused the log ends with.
const REFUSED: u8 = 3;

#[expect(clippy::disallowed_methods, reason = "a witness is a process with a clock of its own")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Witnesses as it is told; ends only when told to look once, or when it cannot keep its memory.
pub fn run(arguments: &Arguments) -> ExitCode {
    match begin(arguments) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("见证停止：{why}");
            ExitCode::FAILURE
        }
    }
}

fn begin(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut witness = Witness::open(arguments, now)?;
    println!("见证方公钥（请交平台登记）：{}", witness.key());
    if let Some(address) = arguments.listen {
        let listens = witness.listen(address)?;
        println!("公布见证与证据：http://{listens}/checkpoint");
    }
    let mut fingerprint = witness.fingerprint();
    if let Some(chain) = &fingerprint {
        println!("链指纹：{chain}");
    }
    let mut said = String::new();
    loop {
        let begun = Instant::now();
        let outcome = witness.look()?;
        if fingerprint.is_none() {
            fingerprint = witness.fingerprint();
            if let Some(chain) = &fingerprint {
                println!("首次所见的链指纹（请与公开渠道核对）：{chain}");
            }
        }
        for remark in witness.remarks() {
            println!("提示：{remark}");
        }
        let code = tell(&outcome, &mut said);
        if arguments.once {
            return Ok(code);
        }
        while let Some(left) = arguments.every.checked_sub(begun.elapsed()) {
            thread::park_timeout(left);
        }
    }
}

/// Says what a look came to. That a log stands still is said once.
fn tell(outcome: &Outcome, said: &mut String) -> ExitCode {
    match outcome {
        Outcome::Signed { note, undelivered } => {
            let checkpoint = &note.checkpoint;
            let line = format!("已见证：{} 条，区块 {}", checkpoint.size, checkpoint.height);
            if *said != line {
                println!("{line}");
                *said = line;
            }
            match undelivered {
                None => ExitCode::SUCCESS,
                Some(why) => {
                    eprintln!("见证签名未能交给平台，下次再交：{why}");
                    ExitCode::FAILURE
                }
            }
        }
        Outcome::Waiting(why) => {
            eprintln!("未见证：{why}");
            ExitCode::FAILURE
        }
        Outcome::Refused { alarm, evidence, undelivered } => {
            eprintln!("拒签（{}）：{}", alarm.kind.title(), alarm.detail);
            eprintln!("证据：{}", evidence.display());
            if let Some(why) = undelivered {
                eprintln!("告警未能交给平台：{why}");
            }
            ExitCode::from(REFUSED)
        }
    }
}
