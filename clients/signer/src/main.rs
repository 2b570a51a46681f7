//! 企业签名机: signs, with a key that never leaves this machine, what the platform is to anchor
//! in an organisation's name. It computes every digest from the records themselves, signs nothing
//! in another's name, and keeps count, so that a platform that goes back is found out.
#![expect(clippy::print_stdout, reason = "a program at a terminal")]
#![expect(clippy::disallowed_methods, reason = "another process has no condition to wait for")]

mod agent;
mod key;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "yj-sign", about = "企业签名机：用自己的密钥签署以自己名义存证的记录", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// 生成密钥文件（只有本用户可读）
    New {
        /// 密钥文件，不得已存在
        #[arg(long)]
        key: PathBuf,
    },
    /// 给出登记密钥所需的公钥与持有证明
    Prove {
        /// 密钥文件
        #[arg(long)]
        key: PathBuf,
        /// 主体代码
        #[arg(long)]
        org: String,
        /// 密钥名称
        #[arg(long)]
        kid: String,
    },
    /// 签署待签名的记录
    Run(agent::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().verb {
        Verb::New { key } => key::make(&key),
        Verb::Prove { key, org, kid } => key::prove(&key, &org, &kid),
        Verb::Run(options) => agent::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("{reason}");
            ExitCode::FAILURE
        }
    }
}
