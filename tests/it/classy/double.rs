//! A listener that records what it is sent and answers with any bytes, slowly or never ending if it
//! must.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is done after a request was read.
pub(crate) enum Answer {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, then silence with the connection open.
    ThenSilence(Vec<u8>),
    /// These bytes, then the second ones for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes, then the second ones one by one, with so much time between them.
    Drip(Vec<u8>, Vec<u8>, std::time::Duration),
}

/// The listener. Dropping it ends it.
pub(crate) struct Double {
    address: std::net::SocketAddr,
    /// Connections, whether anything was sent on them or not.
    pub(crate) connections: Arc<Mutex<usize>>,
    /// The requests, as text.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// Bytes that were written.
    pub(crate) written: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

impl Double {
    /// Listens; `answer` sees each request and how many came before.
    pub(crate) async fn new(
        answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
    ) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests, written) = (
            Arc::<Mutex<usize>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
            Arc::<Mutex<usize>>::default(),
        );
        let shared = (connections.clone(), requests.clone(), written.clone());
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            let (connections, requests, written) = shared;
            while let Ok((stream, _)) = listener.accept().await {
                *connections.lock().unwrap() += 1;
                let (answer, requests, written) =
                    (answer.clone(), requests.clone(), written.clone());
                tokio::spawn(async move { serve(stream, &*answer, &requests, &written).await });
            }
        });
        Double {
            address,
            connections,
            requests,
            written,
            task,
        }
    }

    /// Without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub(crate) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(usize, &str) -> Answer + Send + Sync),
    requests: &Mutex<Vec<String>>,
    written: &Mutex<usize>,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let before = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        requests.len() - 1
    };
    let mut write = async |bytes: &[u8]| {
        let done = stream.write_all(bytes).await.is_ok();
        *written.lock().unwrap() += if done { bytes.len() } else { 0 };
        done
    };
    match answer(before, &request) {
        Answer::Bytes(bytes) => {
            write(&bytes).await;
        }
        Answer::ThenSilence(bytes) => {
            write(&bytes).await;
            let mut rest = [0; 64];
            while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
        }
        Answer::Drip(first, then, every) => {
            write(&first).await;
            for byte in then {
                tokio::time::sleep(every).await;
                if !write(&[byte]).await {
                    break;
                }
            }
        }
        Answer::Endless(first, again) => {
            write(&first).await;
            while write(&again).await {}
        }
    }
}

/// A request with its body; nothing when the other side went away.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
