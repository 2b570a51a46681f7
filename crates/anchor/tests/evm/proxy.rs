//! A node that offers less than anvil: it passes on what is on its list and refuses the rest.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::node::Node;

/// What FISCO BCOS 3.9 answers by its Web3 RPC, of what anybody might ask for.
const OF_FISCO: [&str; 25] = [
    "web3_clientVersion",
    "net_version",
    "net_listening",
    "eth_syncing",
    "eth_chainId",
    "eth_gasPrice",
    "eth_accounts",
    "eth_blockNumber",
    "eth_getBalance",
    "eth_getStorageAt",
    "eth_getTransactionCount",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getCode",
    "eth_sendRawTransaction",
    "eth_call",
    "eth_estimateGas",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getTransactionByHash",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionReceipt",
    "eth_newFilter",
    "eth_getLogs",
];

/// The proxy; it listens until the tests end.
pub(crate) struct Proxy {
    port: u16,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Only what FISCO BCOS knows.
    pub(crate) fn of_fisco(node: &Node) -> Self {
        Self::new(node, |method| OF_FISCO.contains(&method))
    }

    /// Everything but one method.
    pub(crate) fn without(node: &Node, missing: &'static str) -> Self {
        Self::new(node, move |method| method != missing)
    }

    fn new(node: &Node, knows: impl Fn(&str) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (url, refused) = (node.url(), Arc::<Mutex<Vec<String>>>::default());
        let notes = Arc::clone(&refused);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever went away again asked for nothing.
                let _ = serve(stream.unwrap(), (&url, &knows), &notes);
            }
        });
        Self { port, refused }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked for in vain.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap().clone()
    }
}

/// One question of one connection.
fn serve(
    mut stream: TcpStream,
    (url, knows): (&str, &dyn Fn(&str) -> bool),
    refused: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let question: Value = serde_json::from_slice(&body)?;
    let method = question["method"].as_str().unwrap();
    let answer: Value = if knows(method) {
        ureq::post(url).send_json(&question).unwrap().body_mut().read_json().unwrap()
    } else {
        refused.lock().unwrap().push(String::from(method));
        let error = json!({ "code": -32601, "message": "Method not found" });
        json!({ "jsonrpc": "2.0", "id": question["id"], "error": error })
    };
    let answer = answer.to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len())
}
