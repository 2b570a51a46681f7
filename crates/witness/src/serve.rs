//! What a witness shows the public: its key, its newest countersigned note, its evidence. A few
//! fixed answers to GET, from a handful of threads.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use yj_proof::{Alarm, Note, NoteKey};

use crate::files;

/// Threads that answer; further callers wait.
const THREADS: usize = 4;
/// A caller that says or hears nothing for this long is let go.
const WAIT: Duration = Duration::from_secs(5);
/// Bytes of a request that are read at most.
const HEAD_MAX: u64 = 8 * 1024;

/// The newest of it.
pub(crate) struct Shown {
    key: String,
    note: Mutex<Option<String>>,
    evidence: PathBuf,
}

impl Shown {
    pub(crate) fn new(key: &NoteKey, evidence: PathBuf) -> Self {
        Self { key: format!("{key}\n"), note: Mutex::default(), evidence }
    }

    pub(crate) fn show(&self, note: Option<&Note>) {
        *self.note.lock().unwrap_or_else(PoisonError::into_inner) = note.map(Note::to_text);
    }

    fn answer(&self, path: &str) -> Option<(&'static str, String)> {
        const TEXT: &str = "text/plain; charset=utf-8";
        const JSON: &str = "application/json";
        match path {
            "/checkpoint" => {
                let note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
                note.clone().map(|note| (TEXT, note))
            }
            "/key" => Some((TEXT, self.key.clone())),
            "/evidence" => {
                let names = serde_json::to_string(&self.names()).ok()?;
                Some((JSON, names))
            }
            _ => {
                let name = path.strip_prefix("/evidence/")?;
                let known = self.names().into_iter().find(|known| known == name)?;
                let most = 2 * Alarm::BYTES_MAX as u64;
                files::read(&self.evidence.join(known), most).ok()?.map(|text| (JSON, text))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.evidence).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .filter_map(|path| Some(String::from(path.file_name()?.to_str()?)))
            .collect();
        names.sort();
        names
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(WAIT))?;
        stream.set_write_timeout(Some(WAIT))?;
        let mut lines = BufReader::new(stream.take(HEAD_MAX)).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let mut parts = request.split(' ');
        let refused = |status, why| (status, ("text/plain; charset=utf-8", String::from(why)));
        let (status, (kind, body)) = if parts.next() == Some("GET") {
            let found = parts.next().and_then(|path| self.answer(path));
            found.map_or_else(|| refused("404 Not Found", "没有\n"), |found| ("200 OK", found))
        } else {
            refused("405 Method Not Allowed", "只支持 GET\n")
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
             cache-control: no-cache\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        );
        let mut stream = stream;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }
}

/// Answers at an address until the process ends. The address, where the system chose the port.
pub(crate) fn listen(address: SocketAddr, shown: &Arc<Shown>) -> Result<SocketAddr, String> {
    let listener =
        TcpListener::bind(address).map_err(|error| format!("不能监听 {address}：{error}"))?;
    let listen = listener.local_addr().map_err(|error| error.to_string())?;
    for _ in 0..THREADS {
        let listener = listener.try_clone().map_err(|error| error.to_string())?;
        let shown = Arc::clone(shown);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who goes away in the middle has heard enough.
                let _ = shown.serve(&stream);
            }
        });
    }
    Ok(listen)
}

#[cfg(test)]
mod tests {
    use yj_crypto::{Signer as _, SigningKey};
    use yj_proof::NoteKind;

    use super::*;

    #[test]
    fn the_public_sees_the_key_and_the_evidence_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = folder.path().join("evidence");
        files::folder(&evidence).unwrap();
        std::fs::write(evidence.join("rollback-00.json"), "{}").unwrap();
        std::fs::write(folder.path().join("state.json"), "secret").unwrap();
        let signer = SigningKey::from_seed(&[1; 32]).unwrap();
        let key = NoteKey::new("a", NoteKind::Witness, signer.public_key().clone()).unwrap();
        let shown = Arc::new(Shown::new(&key, evidence));
        let address = listen("127.0.0.1:0".parse().unwrap(), &shown).unwrap();
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(format!("{request} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            (head[9..12].to_owned(), body.to_owned())
        };
        let ok = |body: &str| (String::from("200"), String::from(body));
        assert_eq!(ask("GET /key"), ok(&format!("{key}\n")));
        assert_eq!(ask("GET /evidence"), ok("[\"rollback-00.json\"]"));
        assert_eq!(ask("GET /evidence/rollback-00.json"), ok("{}"));
        for missing in ["/checkpoint", "/", "/evidence/../state.json", "/evidence/"] {
            assert_eq!(ask(&format!("GET {missing}")).0, "404", "{missing}");
        }
        assert_eq!(ask("POST /key").0, "405");
    }
}
