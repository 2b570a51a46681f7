//! `yj-witness`: the witness alone, for those who run nothing else of ours.

use std::process::ExitCode;

use clap::Parser;

/// 源鉴存证日志的见证程序
#[derive(Parser)]
#[command(name = "yj-witness", version)]
struct Program {
    #[command(flatten)]
    arguments: yj_witness::Arguments,
}

fn main() -> ExitCode {
    yj_witness::run(&Program::parse().arguments)
}
