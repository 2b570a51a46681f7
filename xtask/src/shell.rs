//! Running other programs and saying so.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Why something could not be done, for people.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The folder of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// A command in a folder of the repository.
pub(crate) fn command(folder: &str, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root().join(folder));
    command
}

fn line(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let all = std::iter::once(command.get_program().to_string_lossy()).chain(arguments);
    all.collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("$ {}", line(command));
    let status =
        command.status().map_err(|error| format!("不能运行 {}：{error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("失败（{status}）：{}", line(command))) }
}

/// The same, but every line of its output is also shown to `hear`.
pub(crate) fn run_heard(command: &mut Command, hear: &mut dyn FnMut(&str)) -> Outcome {
    println!("$ {}", line(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("不能运行 {}：{error}", line(command)))?;
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{text}");
            hear(&text);
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("失败（{status}）：{}", line(command))) }
}

/// What a command prints, or nothing where it fails or does not exist.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
