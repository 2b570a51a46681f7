//! The few verbs of the workshop: `cargo xtask run | test | assess | check | tidy`.

mod assessment;
mod clients;
mod description;
mod fuzz;
mod postgres;
mod run;
mod schemathesis;
mod shell;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
用法：cargo xtask <命令>
  run [--listen 地址] [--data 目录]   构建控制台与程序，创建演示省并启动（默认 127.0.0.1:8080）
  test                               全部测试：格式、静态检查、SQLite、PostgreSQL、前端、浏览器
  assess                             只测三级控制，写出测评记录 target/assessment
  check                              提交前的快速检查：格式、静态检查、tidy
  clients [--check]                  由接口描述生成客户端库的类型
  schemathesis [--epcis 文件]        以随机请求核对运行中的平台与接口描述（约 7 分钟）；写明 GS1 的
                                     EPCIS OpenAPI 文件（gs1/EPCIS 的 REST Bindings）时只核对 EPCIS
  fuzz [--seconds 秒数] [目标]       以随机输入试每一个解析器（缺省各 60 秒）
  tidy                               仓库自身的规矩：依赖方向、文件大小、术语、链接";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["run", rest @ ..] => run::demo(rest),
        ["test"] => test::all(),
        ["assess"] => test::assess(),
        ["check"] => test::check(),
        ["clients", rest @ ..] => clients::all(rest),
        ["fuzz", rest @ ..] => fuzz::all(rest),
        ["schemathesis"] => schemathesis::all(),
        ["schemathesis", "--epcis", file] => schemathesis::epcis(file),
        ["tidy"] => tidy::report(),
        _ => Err(String::from(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
