//! A PostgreSQL of our own for the tests: started here, stopped here, nothing else touched.

use std::{net::TcpListener, path::PathBuf, process::Command};

use crate::{
    shell::{Outcome, run},
    tools,
};

/// A running server; stops when dropped.
pub(crate) struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    /// How to reach it.
    pub(crate) url: String,
}

impl Postgres {
    pub(crate) fn start() -> Outcome<Self> {
        let bin = tools::postgres().ok_or("没有找到 PostgreSQL")?;
        // The system knows which port is free.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|error| error.to_string())?.port();
        let folder = std::env::temp_dir().join(format!("yuanjian-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        if tools::is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder))?;
        }
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self { bin, folder, url };
        let data = server.folder.join("data").display().to_string();
        let log = server.folder.join("log").display().to_string();
        let sockets = server.folder.display().to_string();
        server.tool(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
        )?;
        // What it holds goes with it: nothing has to survive the machine.
        let options = format!(
            "-p {port} -k {sockets} -c listen_addresses=127.0.0.1 -c max_connections=400 \
             -c fsync=off -c full_page_writes=off"
        );
        server.tool("pg_ctl", &["-D", &data, "-o", &options, "-l", &log, "-w", "start"])?;
        Ok(server)
    }

    /// Runs one of its tools; PostgreSQL refuses to run as root.
    fn tool(&self, name: &str, arguments: &[&str]) -> Outcome {
        let program = self.bin.join(name);
        let mut command = if tools::is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        run(command.args(arguments).current_dir("/").stdout(std::process::Stdio::null()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data").display().to_string();
        if let Err(error) = self.tool("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]) {
            eprintln!("{error}");
        }
        // Left over, it harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
