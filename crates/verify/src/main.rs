//! `yj-verify`: checks proof files offline. It knows the format and nothing else of the platform.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use yj_proof::{Trust, verify};

const USAGE: &str = "\
用法：yj-verify 文件… [--fingerprint 指纹] [--witness 见证方公钥]… [--json]

离线核验存证证明（.yjproof）。
  --fingerprint  所信任的链指纹，64 位小写十六进制，应从证明文件以外的地方取得
  --witness      所信任的见证方公钥（名称+标识+公钥），可多次给出；至少须有其一的签名
  --json         每个文件一行 JSON；不能读的文件为 null

退出码：0 全部成立，1 有不成立的，2 有不能读的或用法不对。";

/// No proof is larger; what is read beyond it is refused by the format.
const READ_MAX: u64 = (1 << 20) + 1;

/// What was asked.
#[derive(Default)]
struct Asked {
    files: Vec<String>,
    fingerprint: Option<String>,
    witnesses: Vec<String>,
    json: bool,
}

impl Asked {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mut asked = Self::default();
        let mut only_files = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} 之后应有取值"));
            match argument.as_str() {
                _ if only_files => asked.files.push(argument),
                "--" => only_files = true,
                "--json" => asked.json = true,
                "--witness" => asked.witnesses.push(value()?),
                "--fingerprint" if asked.fingerprint.is_some() => {
                    return Err(String::from("--fingerprint 只能给出一次"));
                }
                "--fingerprint" => asked.fingerprint = Some(value()?),
                other if other.starts_with("--") => return Err(format!("没有 {other} 这一项")),
                _ => asked.files.push(argument),
            }
        }
        if asked.files.is_empty() {
            return Err(String::from("请给出证明文件"));
        }
        Ok(asked)
    }
}

fn bytes_of(file: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(READ_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Says what became of every file; the worst of it as exit code.
fn run(asked: &Asked, trust: &Trust) -> io::Result<u8> {
    let (mut out, mut worst) = (io::stdout().lock(), 0);
    for file in &asked.files {
        let bytes = match bytes_of(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                worst = 2;
                eprintln!("{file}：不能读：{error}");
                if asked.json {
                    writeln!(out, "null")?;
                }
                continue;
            }
        };
        let verdict = verify(&bytes, trust);
        worst = worst.max(u8::from(!verdict.ok));
        match (asked.json, asked.files.len()) {
            (true, _) => writeln!(out, "{}", verdict.to_json())?,
            (false, 1) => write!(out, "{verdict}")?,
            (false, _) => writeln!(out, "{file}\n{verdict}")?,
        }
    }
    Ok(worst)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let asked = Asked::read(arguments.into_iter()).and_then(|asked| {
        let trust = Trust::from_words(asked.fingerprint.as_deref(), &asked.witnesses)?;
        Ok((asked, trust))
    });
    match asked {
        Ok((asked, trust)) => run(&asked, &trust).map_or(ExitCode::from(2), ExitCode::from),
        Err(reason) => {
            eprintln!("{reason}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
